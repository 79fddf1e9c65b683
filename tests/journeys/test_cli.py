"""The exit code and the last line are the product."""
import json
import subprocess

import pytest
from kit import fresh, get, put_source, request_id, service, wait_until, write_folder


def test_a_persons_day(slipway, here, tmp_path, containers, bus):
    """deploy, status, logs, show, rollback, stop, start, rm: each with its exit code."""
    name = fresh("day")
    ok = lambda *arguments: (done := slipway(*arguments)).returncode == 0 and done or pytest.fail(f"{arguments}: {done.returncode}\n{done.stdout}{done.stderr}")  # noqa: E731
    one = write_folder(tmp_path / "one", service("moody", name, env={"WORD": "one"}))
    two = write_folder(tmp_path / "two", service("moody", name, env={"WORD": "two"}))

    done = ok("deploy", one, "--machine", here)
    assert f"Deployed {name}" in done.stdout + done.stderr
    assert "rollback" in done.stdout + done.stderr
    ok("deploy", two, "--machine", here)
    listed = json.loads(ok("status", "-o", "json").stdout)
    mine = next(one for one in listed["services"] if one["name"] == name)
    assert mine["release"] == 2 and mine["state"] == "running" and mine["machine"] == here
    assert b'"two"' in get(mine["ports"][0]["address"])[1]
    assert "two, in a good mood" in ok("logs", name).stdout

    shown = json.loads(ok("show", name, "-o", "json").stdout)
    assert shown["release"] == 2 and shown["path"] and shown["dockerfile"].startswith("FROM ")
    assert ok("show", name, "--dockerfile").stdout.startswith("FROM ")

    ok("rollback", name)
    assert b'"one"' in get(containers.address(containers.one(name)))[1]
    ok("stop", name)
    assert containers.of(name) == []
    assert next(one for one in json.loads(ok("status", "-o", "json").stdout)["services"] if one["name"] == name)["state"] == "stopped"
    ok("start", name)
    assert b'"one"' in get(containers.address(containers.one(name)))[1]
    ok("rm", name, "--yes")
    assert containers.of(name, running=False) == []


def test_deploying_unchanged_again_says_so(slipway, here, tmp_path, containers):
    name = fresh("twice")
    folder = write_folder(tmp_path / "code", service("moody", name))
    assert slipway("deploy", folder, "--machine", here).returncode == 0
    before = containers.one(name)
    done = slipway("deploy", folder, "--machine", here)
    assert done.returncode == 0 and "unchanged" in (done.stdout + done.stderr).lower()
    assert containers.one(name)["Id"] == before["Id"]
    slipway("rm", name, "--yes")


def test_an_algorithm_runs_once(slipway, here, tmp_path, containers, bus, must_deploy, deploy):
    name = fresh("sum")
    folder = write_folder(tmp_path / "code", service("algorithm", name))
    done = slipway("deploy", folder, "--machine", here)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the mean is 42" in done.stdout + done.stderr
    wait_until("it counts as completed", lambda: next(s for s in json.loads(slipway("status", "-o", "json").stdout)["services"] if s["name"] == name)["state"] == "completed", 15)
    again = must_deploy("algorithm", name)
    assert again["state"] == "completed" and "the mean is 42" in json.dumps(again), "it runs again even if unchanged"
    failed = deploy("algorithm", name, env={"CODE": "4"})[-1]
    assert failed["state"] == "failed" and any("the mean is 42" in line for line in failed["error"]["last_logs"])
    slipway("rm", name, "--yes")


@pytest.mark.parametrize("arguments, code", [
    (["no-such-command"], 2), (["deploy"], 2), (["deploy", "/no/such/folder"], 2), (["status", "--no-such-flag"], 2),
    (["show", "no-such-service"], 3), (["logs", "no-such-service"], 3), (["stop", "no-such-service"], 3), (["rollback", "no-such-service"], 3),
    (["machine", "show", "no-such-machine"], 3),
])
def test_exit_codes_of_mistakes(arguments, code, slipway):
    done = slipway(*arguments)
    assert done.returncode == code, done.stdout + done.stderr
    assert done.stderr.strip(), "it says what is wrong"


def test_an_unknown_machine_touches_nothing(slipway, tmp_path, containers, here):
    name = fresh("lost")
    done = slipway("deploy", write_folder(tmp_path / "code", service("moody", name)), "--machine", "no-such-machine")
    assert done.returncode in (3, 10), done.stdout + done.stderr
    assert "no-such-machine" in done.stdout + done.stderr
    assert containers.of(name, running=False) == []


def test_no_server_is_code_5(slipway):
    done = slipway("status", env={"SLIPWAY_URL": "http://127.0.0.1:9"})
    assert done.returncode == 5 and "127.0.0.1:9" in done.stderr


def test_did_you_mean(slipway):
    assert "status" in slipway("statsu").stderr


def test_messages_shows_what_crosses_kafka(server, slipway, here, bus, tmp_path):
    name = fresh("seen")
    put = write_folder(tmp_path / "code", service("moody", name))
    with open(tmp_path / "said", "w") as out:
        running = subprocess.Popen([*server_command(server), "messages", "-f"], stdout=out, stderr=subprocess.STDOUT, env=server_env(server))
    try:
        wait_until("it has begun", lambda: (tmp_path / "said").stat().st_size > 0, 15)  # samples come each second
        assert slipway("deploy", put, "--machine", here).returncode == 0
        text = lambda: (tmp_path / "said").read_text()  # noqa: E731
        wait_until("the deployment crossed", lambda: all(word in text() for word in ("deployment.requests", "deployment.status", "Deployment Manager", name)), 15)
    finally:
        running.terminate()
        running.wait(10)
    slipway("rm", name, "--yes")


def server_command(server):
    from dev_stack import build
    return [str(build.binary("slipway", server.preset))]


def server_env(server):
    import os
    return {**os.environ, "SLIPWAY_URL": server.url}


BAD = {
    "unknown key": ("name: x\nprots: [8080]\nruntime: python@3.11\ncommand: a\n", "service.yaml:2:1", "ports"),
    "duplicate key": ("name: x\nname: y\nruntime: python@3.11\ncommand: a\n", "service.yaml:2:1", "name"),
    "missing unit": ("name: x\nruntime: python@3.11\ncommand: a\nresources: {memory: 256}\n", "service.yaml:4:", "memory"),
    "bad name": ("name: Bad_Name\nruntime: python@3.11\ncommand: a\n", "service.yaml:1:7", "name"),
    "an alias": ("name: x\nruntime: python@3.11\ncommand: &a main\nentrypoint: *a\n", "service.yaml:3:", ""),
    "out of range": ("name: x\nruntime: python@3.11\ncommand: a\nports: [70000]\n", "service.yaml:4:", "70000"),
    "two documents": ("name: x\nruntime: python@3.11\ncommand: a\n---\nname: y\n", "service.yaml:4:", ""),
    "not yet": ("name: x\nruntime: python@3.11\ncommand: a\nschedule: '@daily'\n", "service.yaml:4:1", "schedule"),
    "leaves the folder": ("name: x\nbuild: {dockerfile: ../../etc/passwd}\n", "service.yaml:2:", ""),
}


@pytest.mark.parametrize("what", BAD)
def test_a_bad_meta_file_is_refused_with_its_place(what, slipway, tmp_path, containers):
    text, where, word = BAD[what]
    folder = write_folder(tmp_path, {"service.yaml": text, "main.py": "print()\n"})
    for command in ("validate", "deploy"):
        done = slipway(command, folder)
        assert done.returncode == 2, f"{command}: {done.returncode}\n{done.stdout}{done.stderr}"
        assert where in done.stdout + done.stderr and word in done.stdout + done.stderr


def test_validate_says_yes_to_a_good_one(slipway, tmp_path):
    assert slipway("validate", write_folder(tmp_path, service("moody", "good"))).returncode == 0


def test_a_bad_meta_file_by_kafka_is_rejected_with_its_place(bus, repository, here, containers):
    name = fresh("typo")
    text, where, _ = BAD["unknown key"]
    path = put_source(repository, f"{name}/1", {"service.yaml": text.replace("name: x", f"name: {name}"), "main.py": ""})
    final = bus.request({"service_id": name, "path": path, "machine": here})[-1]
    assert final["state"] in ("failed", "rejected") and final["error"]["code"] == "meta.unknown_key" and final["error"]["where"] == where
    assert final["error"]["stage"] == "validated" and "ports" in final["error"]["hint"]
    assert containers.of(name, running=False) == []
    refused = bus.request({"request_id": request_id(), "service_id": name, "path": "no/such/path", "machine": here})[-1]
    assert refused["error"]["stage"] == "fetched" and refused["error"]["code"]


def test_a_service_heals(slipway, here, tmp_path, containers):
    name = fresh("healed")
    assert slipway("deploy", write_folder(tmp_path / "code", service("moody", name)), "--machine", here).returncode == 0
    before = containers.one(name)
    containers.api.remove_container(before["Id"])
    after = wait_until("it is back", lambda: containers.of(name), 30)[0]
    assert after["Id"] != before["Id"] and after["Config"]["Labels"]["slipway.release"] == "1"
    slipway("rm", name, "--yes")

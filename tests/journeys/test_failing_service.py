"""A service that dies: said within two seconds, with its last lines, and the exact old container serves."""
import json
import time

import pytest
from kit import fresh, get, service, story, wait_until, write_folder


def died_at(containers, name: str, release: int, since: float) -> float:
    """When the Engine saw the new container die, in seconds since the epoch."""
    found = [event for event in containers.events(since, time.time() + 1, type="container", event="die")
             if event["Actor"]["Attributes"].get("slipway.service") == name and event["Actor"]["Attributes"].get("slipway.release") == str(release)]
    assert found, f"release {release} of {name} never died"
    return found[0]["timeNano"] / 1e9


@pytest.mark.parametrize("mood, healthy_for", [("dies_at_start", "1s"), ("dies_after_answer", "4s")])
def test_the_old_container_serves_again(mood, healthy_for, must_deploy, containers, bus, slipway, here, tmp_path, repository, remove):
    name = fresh("frail")
    must_deploy("moody", name, env={"WORD": "old"})
    before = containers.one(name)

    folder = write_folder(tmp_path / "code", service("moody", name, env={"MOOD": mood, "WORD": "new"}, update={"healthy_for": healthy_for, "deadline": "30s"}))
    status = bus.watch("slipway.deployment.status")
    since = time.time()
    done = slipway("deploy", folder, "--machine", here)
    assert done.returncode == 7, done.stdout + done.stderr
    assert "the boiler has no pressure" in done.stdout + done.stderr

    message = status.until("the final status", lambda v: v["service_id"] == name and v["final"], 5)
    final = message["value"]
    assert final["state"] == "failed" and final["serving"] == 1 and final["stage"] == "done", final
    assert final["error"]["stage"] in ("started", "healthy")
    assert "giving up" in final["error"]["last_logs"][-1], final["error"]
    assert final["error"]["message"] and final["error"]["hint"]
    assert message["at"] / 1000 - died_at(containers, name, 2, since) < 2.0

    after = containers.one(name)
    assert after["Id"] == before["Id"] and after["State"]["Running"]
    wait_until("the old one answers", lambda: b'"old"' in get(containers.address(containers.one(name)))[1], 10)
    package = repository["failures"].find_one({"_id": final["request_id"]})
    assert package and package["exit_code"] == (3 if mood == "dies_at_start" else 9) and package["dockerfile"] and package["last_logs"]
    told = json.loads(slipway("show", name, "-o", "json").stdout)
    assert told["release"] == 1
    story(status.of(final["request_id"]))
    remove(name)


@pytest.mark.parametrize("mood", ["dies_at_start", "dies_after_answer"])
def test_a_first_deployment_leaves_only_its_failure_package(mood, containers, bus, slipway, here, tmp_path, repository):
    name = fresh("stillborn")
    folder = write_folder(tmp_path / "code", service("moody", name, env={"MOOD": mood}, update={"healthy_for": "4s", "deadline": "30s"}))
    status = bus.watch("slipway.deployment.status")
    since = time.time()
    done = slipway("deploy", folder, "--machine", here)
    assert done.returncode == 8, done.stdout + done.stderr
    message = status.until("the final status", lambda v: v["service_id"] == name and v["final"], 5)
    assert message["value"]["serving"] is None and message["value"]["state"] == "failed"
    assert message["at"] / 1000 - died_at(containers, name, 1, since) < 2.0
    assert containers.of(name, running=False) == []
    assert repository["instances"].count_documents({"service_id": name}) == 0
    lane = repository["lanes"].find_one({"_id": name}) or {}
    assert lane.get("committed") is None and lane.get("active") is None
    package = repository["failures"].find_one({"_id": message["value"]["request_id"]})
    assert any("no pressure" in line for line in package["last_logs"])


def test_a_service_that_never_answers_fails_at_its_deadline(must_deploy, deploy, containers, remove):
    name = fresh("mute")
    must_deploy("moody", name, env={"WORD": "old"})
    before = containers.one(name)
    told = deploy("moody", name, env={"MOOD": "never_answers"}, update={"healthy_for": "1s", "deadline": "6s"})
    assert told[-1]["state"] == "failed" and told[-1]["serving"] == 1 and told[-1]["error"]["stage"] == "healthy", told[-1]
    assert containers.one(name)["Id"] == before["Id"]
    remove(name)


def test_a_build_that_fails_touches_nothing(must_deploy, containers, slipway, here, tmp_path, remove):
    name = fresh("unbuilt")
    must_deploy("moody", name)
    before = containers.one(name)
    files = service("moody", name) | {"requirements.txt": "no-such-package-of-slipway==0.0.1\n"}
    done = slipway("deploy", write_folder(tmp_path / "code", files), "--machine", here)
    assert done.returncode == 6, done.stdout + done.stderr
    assert "no-such-package-of-slipway" in done.stdout + done.stderr
    after = containers.one(name)
    assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])
    remove(name)

"""No CLI, no client library of ours: a folder put into the Repository by ten lines of Python, one line of kcat, and the service runs on a machine nobody had registered."""
import io
import json
import subprocess
import tarfile
import time

import gridfs
import pytest
from kit import STAGES, Containers, fresh, request_id, service, story, wait_until, write_folder

EDGE = fresh("edge")
STATUS = "slipway.deployment.status"


def put_folder(database, folder, path):
    """The ten lines."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(folder, arcname=".")
    gridfs.GridFSBucket(database, "sources").upload_from_stream(path, archive.getvalue())


@pytest.fixture(scope="module")
def machine(lend_machine):
    with lend_machine() as made:
        yield made


@pytest.fixture(scope="module")
def name():
    return fresh("thermo")


@pytest.fixture(scope="module")
def line(machine, name):
    """What the person types, without a request id."""
    return {"service_id": name, "path": f"{name}/1.0.0", "machine": {"name": EDGE, "docker": machine.endpoint}}


@pytest.fixture
def on_machine(stack, machine):
    return Containers(machine.api, stack.instance)


def type_line(bus, line):
    """kcat with exactly one line on its standard input: no key, no headers."""
    subprocess.run(["kcat", "-P", "-b", bus.brokers, "-t", "slipway.deployment.requests"], input=json.dumps(line) + "\n", text=True, check=True, timeout=20)


def test_the_service_runs_and_the_machine_is_watched(server, bus, repository, slipway, tmp_path, machine, on_machine, name, line):
    assert repository["machines"].find_one({"_id": EDGE}) is None
    put_folder(repository, write_folder(tmp_path / "code", service("moody", name)), line["path"])
    status = bus.watch(STATUS)
    begun = time.time()
    type_line(bus, line)

    final = status.until("the end of the deployment", lambda v: v["service_id"] == name and v["final"], 120)["value"]
    told = story([m["value"] for m in status.messages if m["value"]["service_id"] == name])
    assert final["state"] == "succeeded", final
    assert final["stage"] == "done" and final["release"] == 1 and final["serving"] == 1 and final["machine"] == EDGE
    assert len({s["request_id"] for s in told}) == 1, "one line is one request"
    reached = [s["stage"] for s in told if s["state"] in ("succeeded", "warning") and not s["final"]]
    assert [stage for stage in STAGES if stage in reached] == STAGES and sorted(reached, key=STAGES.index) == reached
    for message in status.messages:
        assert message["key"] == message["value"]["service_id"]
        assert message["headers"]["ce_specversion"] == "1.0" and message["headers"]["ce_id"] and message["headers"]["content-type"] == "application/json"

    container = on_machine.one(name)
    assert container["State"]["Running"] and container["Id"] == final["container_id"]
    assert container["Config"]["Labels"]["slipway.request"] == final["request_id"]
    inside = machine.api.call("POST", f"/containers/{container['Id']}/exec",
                              body={"Cmd": ["python3", "-c", "import urllib.request as u; print(u.urlopen('http://127.0.0.1:8080/').status)"], "AttachStdout": True})
    with machine.api.stream("POST", f"/exec/{inside['Id']}/start", body={"Detach": False}) as answer:
        assert b"200" in answer.read()

    listed = slipway("machine", "ls", "-o", "json")
    assert EDGE in [one["name"] for one in json.loads(listed.stdout)], listed.stdout + listed.stderr
    wait_until("a minute of the new machine is in the Repository", lambda: repository["samples_1m"].find_one({"machine": EDGE}), 60)
    assert on_machine.agent() is not None
    assert time.time() - begun < 180


def test_the_same_line_again_is_a_new_request_that_changes_nothing(server, bus, repository, on_machine, name, line):
    before = on_machine.one(name)
    status = bus.watch(STATUS)
    type_line(bus, line)
    final = status.until("the end", lambda v: v["service_id"] == name and v["final"], 60)["value"]
    assert final["state"] == "succeeded" and final["unchanged"] is True and final["release"] == 1, final
    after = on_machine.one(name)
    assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])
    assert repository["deployments"].count_documents({"service_id": name}) == 2
    assert repository["releases"].count_documents({"service_id": name}) == 1


def test_with_a_request_id_it_is_the_same_request_and_its_last_status_comes_again(server, bus, repository, on_machine, name, line):
    line = line | {"request_id": request_id()}
    status = bus.watch(STATUS)
    mine = lambda v: v["request_id"] == line["request_id"] and v["final"]  # noqa: E731
    type_line(bus, line)
    first = status.until("the end", mine, 60)
    documents = repository["deployments"].count_documents({"service_id": name})

    again = bus.watch(STATUS)
    type_line(bus, line)
    second = again.until("the last status, published again", mine, 30)
    assert second["value"] == first["value"]
    assert second["headers"]["ce_id"] == first["headers"]["ce_id"], "consumers de-duplicate on source and id"
    assert repository["deployments"].count_documents({"service_id": name}) == documents
    on_machine.one(name)


def test_the_same_request_id_with_another_wish_is_a_conflict(server, bus, repository, on_machine, name, line):
    line = line | {"request_id": request_id()}
    type_line(bus, line)
    status = bus.watch(STATUS, from_beginning=True)
    status.until("the end", lambda v: v["request_id"] == line["request_id"] and v["final"], 60)
    before = on_machine.one(name)
    dead = bus.watch("slipway.deadletter")
    type_line(bus, line | {"path": f"{name}/another"})
    fence = line | {"request_id": request_id()}  # same key, so it is handled after the one before
    type_line(bus, fence)
    status.until("the end of the next one", lambda v: v["request_id"] == fence["request_id"] and v["final"], 60)
    told = status.of(line["request_id"])
    dead.poll(1)
    assert any((s.get("error") or {}).get("code", "").endswith("conflict") for s in told) or dead.messages, told
    assert repository["deployments"].find_one({"_id": line["request_id"]})["request"]["path"] == line["path"]
    assert on_machine.one(name)["Id"] == before["Id"]

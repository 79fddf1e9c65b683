"""Every change that the CLI can make is a message: each of them here by kcat, plain JSON without a key. Nobody needs our programs to change anything."""
import json
import subprocess

import pytest
from kit import fresh, get, put_source, request_id, service, story, wait_until


@pytest.fixture
def running(must_deploy):
    name = fresh("wishes")
    must_deploy("moody", name, env={"WORD": "one"})
    return name


def word(containers, name) -> str:
    return json.loads(get(containers.address(containers.one(name)))[1])["word"]


def test_deploy_stop_start_restart_rollback_remove(running, bus, containers, repository, here, must_deploy):
    name = running
    do = lambda action, **more: bus.request({"service_id": name, "action": action, **more})[-1]  # noqa: E731
    service_state = lambda: (repository["services"].find_one({"_id": name}) or {}).get("state")  # noqa: E731
    wait_until("its state is running", lambda: service_state() == "running", 10)

    stopped = do("stop")
    assert stopped["state"] == "succeeded" and containers.of(name) == []
    wait_until("its state is stopped", lambda: service_state() == "stopped", 10)
    assert repository["lanes"].find_one({"_id": name})["wanted"] == "stopped"

    started = do("start")
    assert started["state"] == "succeeded" and started["release"] == 1
    assert word(containers, name) == "one"

    before = containers.one(name)
    restarted = do("restart")
    after = containers.one(name)
    assert restarted["state"] == "succeeded" and restarted["release"] == 1
    assert (after["Id"], after["State"]["StartedAt"]) != (before["Id"], before["State"]["StartedAt"])

    second = must_deploy("moody", name, env={"WORD": "two"})
    assert second["release"] == 2 and word(containers, name) == "two"
    back = do("rollback")
    assert back["state"] == "succeeded" and back["serving"] == back["release"] and word(containers, name) == "one"
    forth = do("rollback", release=2)
    assert forth["state"] == "succeeded" and word(containers, name) == "two"
    again = do("deploy", release=1, machine=here)
    assert again["state"] == "succeeded" and word(containers, name) == "one"

    removed = do("remove")
    assert removed["state"] == "succeeded" and containers.of(name, running=False) == []
    wait_until("its state is removed", lambda: service_state() == "removed", 10)
    assert repository["deployments"].count_documents({"service_id": name}) == 9, "each is one document"


def test_a_persons_wish_is_passed_on_under_its_id(running, bus, containers, repository):
    status, requests = bus.watch("slipway.deployment.status"), bus.watch("slipway.deployment.requests")
    wish = {"request_id": request_id(), "service_id": running, "action": "stop", "requested_by": "anna"}
    reply = bus.ask("service", wish)
    assert reply["accepted"] is True
    status.until("its end", lambda v: v["request_id"] == wish["request_id"] and v["final"], 30)
    passed = requests.until("the request", lambda v: v["request_id"] == wish["request_id"], 5)
    assert passed["value"]["requested_by"] == "anna" and passed["key"] == running and "life_cycle_manager" in passed["headers"]["ce_source"]
    assert containers.of(running) == []
    bus.request({"service_id": running, "action": "remove"})


def test_a_wish_that_cannot_be_is_refused_in_the_reply(server, bus):
    reply = bus.ask("service", {"service_id": "Not A Name", "action": "deploy", "path": "x/1"})
    assert reply["accepted"] is False and reply["error"]["code"] and reply["error"]["message"]


def test_cancel_before_the_cutover(running, bus, containers, repository, here):
    before = containers.one(running)
    path = put_source(repository, f"{running}/slow", service("moody", running, env={"WORD": "slow"}, update={"healthy_for": "60s", "deadline": "2m"}))
    wish = {"request_id": request_id(), "service_id": running, "path": path, "machine": here}
    status = bus.watch("slipway.deployment.status")
    bus.kcat("slipway.deployment.requests", wish)
    status.until("it is started", lambda v: v["request_id"] == wish["request_id"] and v["stage"] == "started" and v["state"] == "succeeded", 60)
    bus.kcat("slipway.deployment.requests", {"request_id": request_id(), "service_id": running, "action": "cancel", "cancels": wish["request_id"]})
    final = status.until("its end", lambda v: v["request_id"] == wish["request_id"] and v["final"], 30)["value"]
    assert final["state"] == "cancelled" and final["serving"] == 1, final
    story(status.of(wish["request_id"]))
    after = wait_until("only the old one is left", lambda: (found := containers.of(running, running=False)) and len(found) == 1 and found[0], 15)
    assert after["Id"] == before["Id"] and after["State"]["Running"]
    bus.request({"service_id": running, "action": "remove"})


def test_a_waiting_request_is_superseded_by_a_newer_one(running, bus, containers, repository, here):
    status = bus.watch("slipway.deployment.status")
    wishes = []
    for number in range(3):
        path = put_source(repository, f"{running}/{number}", service("moody", running, env={"WORD": f"w{number}"}, update={"healthy_for": "4s", "deadline": "60s"}))
        wishes.append({"request_id": request_id(), "service_id": running, "path": path, "machine": here})
    bus.kcat("slipway.deployment.requests", wishes[0])
    status.until("the first is at work", lambda v: v["request_id"] == wishes[0]["request_id"] and v["stage"] == "fetched", 30)
    bus.kcat("slipway.deployment.requests", wishes[1])
    wait_until("the second one waits", lambda: wishes[1]["request_id"] in repository["lanes"].find_one({"_id": running})["queue"], 10)
    bus.kcat("slipway.deployment.requests", wishes[2])
    ends = [status.until("its end", lambda v, w=w: v["request_id"] == w["request_id"] and v["final"], 60)["value"]["state"] for w in wishes]
    assert ends == ["succeeded", "superseded", "succeeded"]
    assert word(containers, running) == "w2"
    bus.request({"service_id": running, "action": "remove"})


def test_sensors_are_added_simulated_and_removed(server, bus, repository):
    kind = fresh("pt100").replace("-", "_")
    added = bus.ask("sensor", {"action": "add", "sensor": {"sensor_id": f"{kind}-1", "type": kind, "location": "plant-1/hall", "rate": "1/s"}})
    assert not added.get("error"), added
    assert repository["sensors"].find_one({"_id": f"{kind}-1"})
    simulated = bus.ask("sensor", {"action": "simulate", "sensor": {"sensor_id": f"{kind}-2", "type": kind, "location": "plant-1/hall", "rate": "10/s"}})
    assert not simulated.get("error"), simulated
    readings = bus.watch(f"sensor.{kind}.{kind}-2")
    first = readings.until("a reading", lambda v: v["seq"] > 0, 20)
    assert first["key"] == f"{kind}-2"
    readings.until("the next", lambda v: v["seq"] == first["value"]["seq"] + 1, 5)
    bound = bus.ask("sensor", {"action": "bind", "service_id": "a-stranger", "sensors": [{"name": "heat", "type": kind, "location": "plant-1/hall"}]})
    assert not bound.get("error") and bound["topics"]["heat"]["topic"].startswith(f"sensor.{kind}."), bound
    none = bus.ask("sensor", {"action": "bind", "service_id": "a-stranger", "sensors": [{"name": "heat", "type": "no_such_type", "required": True}]})
    assert none["error"] and "heat" in json.dumps(none)
    for number in (1, 2):
        assert not bus.ask("sensor", {"action": "remove", "sensor": {"sensor_id": f"{kind}-{number}"}}).get("error")
    assert repository["sensors"].count_documents({"type": kind}) == 0


def test_machines_are_labelled(here, bus, repository):
    labelled = bus.ask("machine", {"action": "label", "machine": here, "labels": {"site": "plant-2"}})
    assert not labelled.get("error"), labelled
    assert repository["machines"].find_one({"_id": here})["labels"]["site"] == "plant-2"


@pytest.mark.parametrize("topic, wish", [
    ("deployment", {"service_id": "anything", "path": "a/1", "machine": [{"name": "here"}, {"name": "there"}]}),
    ("machine", {"action": "cordon", "machine": "here"}),
    ("machine", {"action": "drain", "machine": "here"}),
])
def test_what_nothing_acts_on_yet_is_refused(topic, wish, server, bus):
    if topic == "deployment":
        final = bus.request(wish)[-1]
        assert final["state"] == "rejected" and final["error"]["code"] == "request.not_yet", final
    else:
        assert bus.ask(topic, wish)["error"]["code"] == "request.not_yet"


def test_a_key_that_contradicts_the_value_is_refused(server, bus, stack):
    wish = {"request_id": request_id(), "service_id": "anything", "path": "a/1"}
    status = bus.watch("slipway.deployment.status")
    subprocess.run(["kcat", "-P", "-b", bus.brokers, "-t", "slipway.deployment.requests", "-k", "another"], input=json.dumps(wish) + "\n", text=True, check=True, timeout=20)
    final = status.until("its refusal", lambda v: v["request_id"] == wish["request_id"] and v["final"], 30)["value"]
    assert final["state"] == "rejected" and final["error"]["code"] == "request.key"


@pytest.mark.parametrize("line", ["not json at all", '{"request_id": "bad id!", "service_id": "x", "path": "x/1"}', "[1, 2]", "[" * 400_000])
def test_what_cannot_be_read_goes_to_the_dead_letters(line, server, bus):
    dead = bus.watch("slipway.deadletter")
    bus.kcat("slipway.deployment.requests", line)
    letter = wait_until("the dead letter", lambda: dead.poll(0.5), 30)[0]
    assert letter["headers"], "topic, partition, offset and reason are its headers"
    assert any("slipway.deployment.requests" in text for text in letter["headers"].values())

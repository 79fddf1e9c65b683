"""In Kafka a stranger finds every message that the contract names between Scheduler, Deployment Manager, Heart Beat Manager and Node Manager."""
import time

import pytest
from kit import Containers, fresh, wait_until

DEPLOYMENT_MANAGER, SCHEDULER, NODE_MANAGER, HEART_BEAT = "deployment_manager", "scheduler", "node_manager", "heart_beat_manager"


@pytest.fixture(scope="module")
def engine(lend_machine):
    with lend_machine() as made:
        yield made


def from_system(message, role: str) -> bool:
    return role in message["headers"].get("ce_source", "")


def assert_envelope(message, key) -> None:
    headers = message["headers"]
    assert message["key"] == key
    assert headers["ce_specversion"] == "1.0" and headers["content-type"] == "application/json"
    assert all(headers.get(name) for name in ("ce_id", "ce_source", "ce_type", "ce_time", "ce_subject")), headers


def test_every_message_of_the_table(server, bus, deploy, here, engine, stack, must_deploy, remove):
    topics = ("placement.requests", "placement.replies", "machine.requests", "machine.replies", "machine.registry", "machine.state", "machine.stats", "service.events",
              "deployment.requests", "deployment.status")
    watching = {name: bus.watch(f"slipway.{name}") for name in topics}
    placed, named = fresh("placed"), fresh("named")
    machine = fresh("edge")

    told = deploy("moody", placed, machine=None)  # nobody named a machine: the Scheduler is asked
    assert told[-1]["state"] == "succeeded", told[-1]
    told = deploy("moody", named, machine={"name": machine, "docker": engine.endpoint})  # inline details: registered with the Node Manager on the way
    assert told[-1]["state"] == "succeeded", told[-1]

    asked = watching["placement.requests"].until("Deployment Manager asks Scheduler", lambda v: v["service_id"] == placed, 10)
    assert_envelope(asked, placed)
    assert from_system(asked, DEPLOYMENT_MANAGER)
    answer = watching["placement.replies"].until("Scheduler answers", lambda v: v["service_id"] == placed, 10)
    assert_envelope(answer, placed)
    assert from_system(answer, SCHEDULER) and answer["value"]["machine"] and answer["value"]["reason"]
    assert answer["value"]["correlation_id"] == asked["value"]["correlation_id"]

    wish = watching["machine.requests"].until("Deployment Manager registers the machine", lambda v: v["machine"] == machine and v["action"] == "add", 10)
    assert_envelope(wish, machine)
    assert from_system(wish, DEPLOYMENT_MANAGER)
    reply = watching["machine.replies"].until("Node Manager answers", lambda v: v["machine"] == machine, 10)
    assert_envelope(reply, machine)
    assert from_system(reply, NODE_MANAGER) and not reply["value"].get("error")
    entry = watching["machine.registry"].until("Node Manager tells all", lambda v: v["name"] == machine, 10)
    assert_envelope(entry, machine)
    assert from_system(entry, NODE_MANAGER) and entry["value"]["docker"] == engine.endpoint

    state = watching["machine.state"].until("Heart Beat Manager says it is up", lambda v: v["machine"] == machine and v["state"] == "up", 30)
    assert_envelope(state, machine)
    assert from_system(state, HEART_BEAT)
    sample = watching["machine.stats"].until("the agent sends samples", lambda v: v["machine"] == machine, 30)
    assert sample["key"] == machine and sample["value"]["boot_id"] and sample["value"]["seq"] >= 0

    started = watching["service.events"].until("Deployment Manager tells that the service started", lambda v: v.get("service_id") == named and v["event"] == "started", 10)
    assert_envelope(started, named)
    assert from_system(started, DEPLOYMENT_MANAGER)
    there = Containers(engine.api, stack.instance)
    engine.api.call("POST", f"/containers/{there.one(named)['Id']}/kill")
    watching["service.events"].until("and that it died", lambda v: v.get("service_id") == named and v["event"] == "died", 30)
    engine.kill()
    lost = watching["service.events"].until("the Engine is lost", lambda v: v["machine"] == machine and v["event"] == "engine_lost", 40)
    assert_envelope(lost, machine)
    engine.restart()
    watching["service.events"].until("the Engine is back", lambda v: v["machine"] == machine and v["event"] == "engine_back", 40)
    wait_until("the service is back", lambda: [c for c in there.of(named) if c["State"]["Running"]], 40)

    agent = there.agent()
    engine.api.call("POST", f"/containers/{agent['Id']}/pause")
    watching["machine.state"].until("Heart Beat Manager says that it is suspect", lambda v: v["machine"] == machine and v["state"] in ("suspect", "down") and v["cause"], 40)
    engine.api.call("POST", f"/containers/{agent['Id']}/unpause")
    now = time.time()
    watching["machine.state"].until("and up again", lambda v: v["machine"] == machine and v["state"] == "up" and len(watching["machine.state"].messages) > 1, 40)
    assert time.time() - now < 40
    for one in (placed, named):
        remove(one)
    assert not bus.ask("machine", {"action": "remove", "machine": machine}).get("error")
    gone = watching["machine.registry"]
    wait_until("the registry forgets it", lambda: gone.poll(0.2) is not None and any(m["key"] == machine and m["value"] is None for m in gone.messages), 30)
    wait_until("its agent is gone", lambda: there.agent() is None, 30)

"""What is wrong with one machine is found before anything is touched there, and holds up no other."""
import time

import pytest
import yaml
from kit import Containers, fresh, put_source, request_id, wait_until

EDGE = fresh("edge")
MINIMAL = {"name": "", "image": "slipway-base-minimal:1", "command": ["sh", "-c", "sleep 100000"], "healthcheck": "none",
           "update": {"healthy_for": "200ms", "deadline": "20s"}, "stop_grace_period": "1s"}


@pytest.fixture(scope="module")
def engine(lend_machine):
    with lend_machine() as made:
        yield made


@pytest.fixture
def edge(server, bus, repository, engine) -> str:
    if repository["machines"].find_one({"_id": EDGE}) is None:
        assert not bus.ask("machine", {"action": "add", "machine": EDGE, "docker": engine.endpoint}).get("error")
    return EDGE


@pytest.fixture
def run(bus, repository, put):
    def deploy(name: str, machine: str, **meta) -> dict:
        return bus.request({"service_id": name, "machine": machine, "path": put(name, **meta)}, seconds=60)[-1]

    return deploy


@pytest.fixture
def put(repository):
    return lambda name, **meta: put_source(repository, f"{name}/{request_id()}", {"service.yaml": yaml.safe_dump(MINIMAL | {"name": name} | meta, sort_keys=False)})


def test_a_container_that_cannot_reach_the_broker_is_found_before_the_switch(edge, engine, run, stack, remove):
    name = fresh("cutoff")
    there = Containers(engine.api, stack.instance)
    assert run(name, edge)["state"] == "succeeded"
    before = there.one(name)
    host, _, port = stack.env()["KAFKA_BROKERS"].partition(":")
    rule = ["FORWARD", "-p", "tcp", "-d", host, "--dport", port, "-j", "REJECT", "--reject-with", "tcp-reset"]
    engine._inside(["iptables", "-I", *rule])
    try:
        final = run(name, edge, topics=[f"{name}.out"])
    finally:
        engine._inside(["iptables", "-D", *rule])
    assert final["state"] == "rejected" and final["error"]["code"] == "kafka.unreachable_from_machine", final
    assert f"{host}:{port}" in final["error"]["message"] and EDGE in final["error"]["message"]
    after = there.one(name)
    assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"]), "the old one was not touched"
    left = [c for c in engine.api.containers(f"slipway.instance={stack.instance}") if c["Labels"].get("slipway.role") == "probe"]
    assert left == []
    assert run(name, edge, topics=[f"{name}.out"])["state"] == "succeeded", "with the way open it is deployed"
    remove(name)


def test_F29_a_hung_engine_holds_up_no_other_machine(edge, engine, run, put, bus, here, repository, remove):
    names = [fresh("swift") for _ in range(5)]
    begun = time.monotonic()
    assert run(names[0], here)["state"] == "succeeded"
    alone = time.monotonic() - begun
    engine.freeze()
    try:
        stuck = [fresh("stuck") for _ in range(6)]  # more than may run there at once
        for name in stuck:
            bus.kcat("slipway.deployment.requests", {"request_id": f"hang-{name}", "service_id": name, "machine": edge, "path": put(name)})
        wait_until("some of them have begun", lambda: repository["lanes"].find_one({"_id": {"$in": stuck}, "active": {"$ne": None}}), 30)
        for name in names[1:]:
            begun = time.monotonic()
            assert run(name, here)["state"] == "succeeded"
            assert time.monotonic() - begun < alone + 3, f"{alone:.1f} s without a hung Engine"
    finally:
        engine.thaw()
    for name in stuck:
        wait_until(f"{name} has an end", lambda name=name: (found := repository["deployments"].find_one({"_id": f"hang-{name}"})) and found.get("end"), 60)
    for name in names + stuck:
        remove(name)

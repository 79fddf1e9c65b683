"""Kafka and MongoDB killed for 20 s in the middle of a deployment, while samples and numbered readings flow: it ends well, and nothing is missing."""
import time

import pytest
from kit import fresh, missing_seconds, put_source, request_id, service, stored_seconds, story, wait_until


@pytest.fixture(scope="module")
def flow():
    return {"name": fresh("recorder"), "since": time.time() * 1000}


def ask(bus, repository, name: str, machine: str, mark: str) -> str:
    """Asks for a release and returns its id: the image is the same, so that nothing is built but the first time."""
    path = put_source(repository, f"{name}/{mark}", service("recorder", name, env={"OUT": f"{name}.out", "ROUND": mark}, topics=[f"{name}.out"],
                                                            update={"healthy_for": "200ms", "deadline": "60s"}))
    wish = {"request_id": request_id(), "service_id": name, "path": path, "machine": machine}
    bus.kcat("slipway.deployment.requests", wish)
    return wish["request_id"]


def stages(repository, request: str) -> list[dict]:
    document = repository["deployments"].find_one({"_id": request})
    return document["stages"] if document else []


def reached(repository, request: str, stage: str) -> None:
    wait_until(f"{stage} has begun", lambda: any(one["stage"] == stage for one in stages(repository, request)), 90, every=0.02)


def ended(repository, request: str, seconds: float) -> dict:
    wait_until("its end", lambda: (all := stages(repository, request)) and all[-1].get("final"), seconds)
    return stages(repository, request)[-1]


def down_for_20_seconds(part, stack) -> None:
    part.kill()
    wait_until("20 s have passed", lambda begun=time.monotonic(): time.monotonic() - begun > 20, 25)
    part.start()
    stack.save()


def test_F01_F15_a_deployment_and_its_readings_outlast_both(flow, server, bus, repository, stack, here, counter, containers):
    name = flow["name"]
    assert ended(repository, ask(bus, repository, name, here, "first"), 120)["state"] in ("succeeded", "warning")
    pid = server.process.pid
    for part, stage in ((stack.kafka, "agent_ready"), (stack.repository, "started")):
        request = ask(bus, repository, name, here, stage)
        reached(repository, request, stage)
        flow.setdefault("outages", []).append(time.time())
        down_for_20_seconds(part, stack)
        back = time.time()
        final = ended(repository, request, 90)
        assert final["state"] in ("succeeded", "warning"), final
        assert time.time() - back < 60
        assert containers.one(name)["State"]["Running"]
    assert server.alive() and server.process.pid == pid, "the server outlasts both"
    statuses = bus.watch("slipway.deployment.status", from_beginning=True)
    statuses.until("the last end is on Kafka", lambda v: v["request_id"] == request and v["final"], 30)
    story(statuses.of(request))


def test_no_reading_is_missing(flow, server, bus, repository, counter):
    """Runs after the one above, on what it left: the sensor's own numbers, processed."""
    processed = bus.watch(f"{flow['name']}.out", from_beginning=True)
    now = bus.watch(counter).until("a reading", lambda v: True, 30)["value"]["seq"]
    processed.until("it is processed", lambda v: v["reading"]["seq"] >= now, 60)
    processed.poll(1)  # the other partitions
    found = {message["value"]["reading"]["seq"] for message in processed.messages}
    missing = sorted(set(range(min(found), now)) - found)
    assert missing == [], f"{len(missing)} readings of {now - min(found)} were lost, the first: {missing[:5]}"
    processed_at = [message["at"] / 1000 for message in processed.messages]
    first, last = flow["outages"][0], flow["outages"][-1]
    assert min(processed_at) < first and max(processed_at) > last + 20, "both outages are in it"


def test_no_sample_is_missing(flow, server, repository, here, remove):
    now = time.time() * 1000
    rows = wait_until("the seconds until now are stored",
                      lambda: (found := stored_seconds(repository, here, flow["since"])) and found[-1][2] >= now and found, 60, every=1)
    assert missing_seconds(rows) == []
    assert len(rows) > 40, "both outages are in it"
    remove(flow["name"])

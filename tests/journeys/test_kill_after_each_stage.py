"""kill -9 of the server after each of the nine stages: the deployment ends as if nothing had happened, once."""
import time

import pytest
from kit import STAGES, fresh, put_source, request_id, service, story, wait_until


@pytest.fixture(scope="module")
def name():
    return fresh("phoenix")


@pytest.mark.parametrize("stage", STAGES)
def test_it_goes_on_after(stage, name, server, bus, repository, containers, here, counter):
    """One service through all nine: each time a new release with a new image, each time the server dies at another place."""
    before = containers.of(name, running=False)
    number = STAGES.index(stage) + 1
    path = put_source(repository, f"{name}/{stage}", service("recorder", name, env={"OUT": f"{name}.out"}, topics=[f"{name}.out"]) | {"stage.txt": stage})
    status = bus.watch("slipway.deployment.status")
    since = time.time()
    wish = {"request_id": request_id(), "service_id": name, "path": path, "machine": here}
    bus.kcat("slipway.deployment.requests", wish)
    mine = lambda v: v["request_id"] == wish["request_id"]  # noqa: E731
    status.until(f"{stage} is done", lambda v: mine(v) and v["stage"] == stage and v["state"] in ("succeeded", "warning"), 90)
    server.kill()
    restarted = time.time()
    server.start()
    final = status.until("the end", lambda v: mine(v) and v["final"], 60)["value"]
    assert time.time() - restarted < 45, "30 s, and the build and health time that remains"

    assert final["state"] in ("succeeded", "warning"), final
    assert final["release"] == final["serving"] == number
    story(status.of(wish["request_id"]))
    document = repository["deployments"].find_one({"_id": wish["request_id"]})
    assert [s["seq"] for s in document["stages"]] == list(range(1, len(document["stages"]) + 1))
    wait_until("every status is acknowledged", lambda: (d := repository["deployments"].find_one({"_id": wish["request_id"]}))["published"] == len(d["stages"]), 10)

    container = wait_until("one container is left", lambda: (found := containers.of(name, running=False)) and len(found) == 1 and found[0], 15)
    assert container["State"]["Running"] and container["Name"].endswith(f"{name}-{number}-1") and container["Id"] not in [c["Id"] for c in before]
    assert container["Config"]["Labels"]["slipway.request"] == wish["request_id"]
    made = [event for event in containers.events(since, time.time(), type="container", event="create") if event["Actor"]["Attributes"].get("name", "").endswith(f"{name}-{number}-1")]
    assert len(made) == 1, "created once"
    lane = wait_until("the lane is free", lambda: (found := repository["lanes"].find_one({"_id": name})) and found["active"] is None and found, 10)
    assert lane["committed"] == number

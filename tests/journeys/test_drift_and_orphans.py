"""What is changed by hand on a machine is changed back, what a kill left behind goes, and what is not ours is never touched."""
import json

import pytest
from kit import fresh, put_source, wait_until

from dev_stack import images
from dev_stack.docker_api import EngineError
from dev_stack.server import Server


@pytest.fixture(scope="module")
def quick(stack, preset, _server):
    """A server that looks every second and is impatient with what is left."""
    _server.stop()
    one = Server(stack, preset, name="quick", settings={"reconcile": {"period": "1s", "orphans_after": "2s"}})
    one.start()
    yield one
    one.stop()


def create(api, instance_labels: dict, name: str, start: bool) -> str:
    made = api.call("POST", "/containers/create", {"name": name}, body={"Image": images.MINIMAL, "Cmd": ["sleep", "100000"], "Labels": instance_labels})["Id"]
    if start:
        try:
            api.call("POST", f"/containers/{made}/start")
        except EngineError as gone:
            assert gone.status in (404, 409), gone  # it was found and removed before it could start
    return made


def exists(api, container: str) -> bool:
    return any(one["Id"] == container for one in api.call("GET", "/containers/json", {"all": "1"}))


def test_what_was_changed_comes_back_and_what_was_left_goes(quick, bus, repository, containers, stack):
    api, ours = containers.api, {"slipway.instance": stack.instance}
    if repository["machines"].find_one({"_id": "here"}) is None:
        assert not bus.ask("machine", {"action": "add", "machine": "here", "docker": stack.docker_host}).get("error")
    name = fresh("steady")
    path = put_source(repository, f"{name}/1", {"service.yaml": json.dumps({
        "name": name, "image": images.MINIMAL, "command": ["sleep", "100000"], "user": "65532", "healthcheck": "none", "stop_grace_period": "1s", "update": {"healthy_for": "200ms"}})})
    told = bus.request({"service_id": name, "path": path, "machine": "here"})
    assert told[-1]["state"] == "succeeded", told[-1]
    before = containers.one(name)
    events = bus.watch("slipway.service.events")

    left = {kind: create(api, labels, fresh(f"journey-{kind}"), start) for kind, labels, start in (
        ("probe", ours | {"slipway.role": "probe"}, True), ("agent", ours | {"slipway.role": "agent"}, True), ("step", {"slipway.build": stack.instance}, False))}
    foreign = {kind: create(api, labels, fresh(f"journey-{kind}"), False) for kind, labels in (
        ("stranger", {}), ("other-instance", {"slipway.instance": "somebody-elses", "slipway.role": "probe"}), ("by-hand", ours))}
    try:
        api.call("POST", f"/containers/{before['Id']}/update", body={"Memory": 64 << 20, "MemorySwap": 64 << 20, "NanoCpus": 100_000_000, "RestartPolicy": {"Name": "no"}})
        api.call("POST", f"/containers/{before['Id']}/pause")

        def as_before() -> bool:
            now = api.inspect(before["Id"])
            same = all(now["HostConfig"][key] == before["HostConfig"][key] for key in ("Memory", "MemorySwap", "NanoCpus", "PidsLimit", "RestartPolicy"))
            return same and not now["State"]["Paused"]

        wait_until("it is as it was made", as_before, 30)
        assert containers.one(name)["State"]["StartedAt"] == before["State"]["StartedAt"], "it was never stopped"
        drift = events.until("it is told", lambda v: v["event"] == "drift" and v["service_id"] == name, 10)["value"]
        assert "paused" in drift["message"] or "limits" in drift["message"], drift

        wait_until("what was left is gone", lambda: not any(exists(api, one) for one in left.values()), 30)
        assert containers.agent() is not None
        assert all(exists(api, one) for one in foreign.values()), "what is not ours stays"
    finally:
        for one in [*left.values(), *foreign.values()]:
            if exists(api, one):
                api.remove_container(one)
    assert bus.request({"service_id": name, "action": "remove"})[-1]["state"] == "succeeded"

"""What happens to the Deployment Manager itself: it is asked to end in the middle of a build (F50), and one request ends it each time it is read (F55)."""
import json
import time

import pytest
import yaml
from installation import Site
from kit import fresh, wait_until

from dev_stack import images

META = {"image": images.MINIMAL, "command": ["sleep", "100000"], "user": "65532", "healthcheck": "none", "stop_grace_period": "1s",
        "update": {"healthy_for": "200ms", "deadline": "30s"}}


@pytest.fixture(scope="module")
def site(stack, preset):
    made = Site(stack, preset, "dm")
    yield made
    made.close()


def files(name: str) -> dict:
    return {"service.yaml": yaml.safe_dump({"name": name} | META, sort_keys=False)}


def test_F50_asked_to_end_during_a_build_it_ends_at_once_and_goes_on_later(site):
    name = fresh("termed")
    server = site.server()
    server.start()
    meta = {"name": name, "build": {"dockerfile": "Dockerfile"}} | {key: value for key, value in META.items() if key not in ("image", "user")}
    dockerfile = f"FROM {images.MINIMAL}\nRUN sleep 5; echo {name} > /word\nUSER 65532:65532\n"
    wish = site.ask(name, path=site.put(name, {"service.yaml": yaml.safe_dump(meta), "Dockerfile": dockerfile}), machine={"name": site.MACHINE, "docker": site.endpoint})
    wait_until("it builds", lambda: (found := site.document(wish)) and found["stages"] and found["stages"][-1]["stage"] == "built", 60)
    begun = time.monotonic()
    server.stop()
    assert time.monotonic() - begun < 10
    assert not site.document(wish).get("end"), "it is parked, not failed"
    server.start()
    done = site.wait_end(wish, 60)
    assert done["end"] in ("succeeded", "warning"), done["stages"][-1]
    site.must_be_well()


@pytest.mark.timeout(240)
def test_F55_a_request_that_ends_the_process_three_times_is_not_read_again(site):
    server, name, other = site.server(), fresh("poison"), fresh("innocent")
    server.start()
    site.must_deploy(other, files(other))
    dead = site.bus.watch(f"{site.prefix}deadletter")
    server.stop()
    wish = site.ask(name, path=site.put(name, files(name)), machine=site.MACHINE)
    for attempt in range(3):
        server.start(failpoints=f"polled@{name}:abort")
        wait_until(f"it ends the process, time {attempt + 1}", lambda: not server.alive(), 60)
    server.start(failpoints=f"polled@{name}:abort")
    letter = dead.until("the request is dead-lettered", lambda v: json.dumps(v).find(wish) >= 0, 60)
    assert "request.crashed_the_server" in json.dumps(letter["headers"]) + json.dumps(letter["value"]), letter
    assert site.document(wish) is None
    site.must_deploy(other, files(other) | {"more.txt": "others go on"})
    assert server.alive()

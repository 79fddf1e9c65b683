"""What happens to the Deployment Manager itself: it is asked to end in the middle of a build (F50), started twice (F53), beside a newer one (F57), and one request
ends it each time it is read (F55)."""
import json
import subprocess
import time

import pytest
from installation import Site, built_sleeper, sleeper
from kit import fresh, wait_until

from dev_stack import build
from dev_stack.base import Failed

@pytest.fixture(scope="module")
def site(stack, preset):
    made = Site(stack, preset, "dm")
    yield made
    made.close()


def test_F50_asked_to_end_during_a_build_it_ends_at_once_and_goes_on_later(site):
    name = fresh("termed")
    server = site.server()
    server.start()
    wish = site.ask_to_deploy(name, built_sleeper(name, f"RUN sleep 5; echo {name} > /word"))
    wait_until("it builds", lambda: site.is_building(wish), 60)
    begun = time.monotonic()
    server.stop()
    assert time.monotonic() - begun < 10
    assert not site.document(wish).get("end"), "it is parked, not failed"
    server.start()
    site.must_end_well(wish, 60)
    site.must_be_well()


def test_F53_a_second_server_in_the_same_state_folder_refuses_to_start(site, preset):
    server = site.server()
    server.start()
    second = subprocess.run([str(build.binary("slipway", preset)), "serve", "--config", str(server.config)], capture_output=True, text=True, timeout=60, cwd=server.folder)
    assert second.returncode == 10, second
    assert "server.already_running" in second.stderr and f"pid {server.process.pid}" in second.stderr, second.stderr
    assert server.alive() and server.ready()
    name = fresh("once")
    site.must_deploy(name, sleeper(name))
    site.must_be_well()


def test_F57_a_database_of_a_newer_version_is_left_alone(site):
    server = site.server()
    server.start()
    server.stop()
    site.database["installation"].update_one({"_id": "format"}, {"$set": {"version": 99}})
    before = server.log.stat().st_size
    try:
        with pytest.raises(Failed):
            server.start()
        said = server.log.read_bytes()[before:].decode()
        assert "repository.newer" in said and "format 99" in said, said[-2000:]
    finally:
        site.database["installation"].update_one({"_id": "format"}, {"$set": {"version": 0}})
    server.start()
    assert site.database["installation"].find_one({"_id": "format"})["version"] == 1, "an older one is raised"


@pytest.mark.timeout(240)
def test_F55_a_request_that_ends_the_process_three_times_is_not_read_again(site):
    server, name, other = site.server(), fresh("poison"), fresh("innocent")
    server.start()
    site.must_deploy(other, sleeper(other))
    dead = site.bus.watch(f"{site.prefix}deadletter")
    server.stop()
    wish = site.ask(name, path=site.put(name, sleeper(name)), machine=site.MACHINE)
    for attempt in range(3):
        server.start(failpoints=f"polled@{name}:abort")
        wait_until(f"it ends the process, time {attempt + 1}", lambda: not server.alive(), 60)
    server.start(failpoints=f"polled@{name}:abort")
    letter = dead.until("the request is dead-lettered", lambda v: json.dumps(v).find(wish) >= 0, 60)
    assert "request.crashed_the_server" in json.dumps(letter["headers"]) + json.dumps(letter["value"]), letter
    assert site.document(wish) is None
    site.must_deploy(other, sleeper(other) | {"more.txt": "others go on"})
    assert server.alive()

"""An Engine that is killed, in the middle of a build or while nothing happens (F25, F26), one behind a slow line (F30), one whose cable is
pulled (F31), one whose disk is full (F33), one where somebody else was first (F35), and a server without room for the image that it carries over (F54)."""
import contextlib
import os
import time

import pytest
import yaml
from installation import SLEEPER, Site, built_sleeper, sleeper
from kit import fresh, wait_until
from small_disk import SmallDisk

from dev_stack import images
from dev_stack.base import run

@pytest.fixture(scope="module")
def site(stack, preset, make_machine):
    made = Site(stack, preset, "engine", engine=make_machine("m2"), settings={"reconcile": {"period": "1s", "orphans_after": "5s"}, "build": {"deadline": "20s"}})
    made.server().start()
    yield made
    made.close()


def ended(site: Site, name: str, content: dict) -> dict:
    return site.wait_end(site.ask_to_deploy(name, content), 60)


def test_F25_a_killed_engine_is_told_and_after_its_return_all_runs_again(site):
    name = fresh("steady")
    site.must_deploy(name, sleeper(name))
    events = site.bus.watch(f"{site.prefix}service.events")
    killed = time.monotonic()
    site.engine.kill()
    events.until("the Engine is lost", lambda v: v["event"] == "engine_lost" and v["machine"] == site.MACHINE, 15)
    seen = wait_until("status names the cause", lambda: [m for m in site.status()["machines"] if m["state"] != "up" or m["engine_error"]], 15)
    assert seen[0]["name"] == site.MACHINE and time.monotonic() - killed < 30
    site.engine.restart()  # returns at its first answer
    wait_until("it runs again", lambda: [one["State"]["Running"] for one in site.containers(name)] == [True], 30)
    site.must_be_well(60)


def test_F26_a_build_that_lost_its_engine_is_made_again_and_leaves_nothing(site):
    name = fresh("built")
    meta = {"name": name, "runtime": "python@3.11", "build": {"steps": ["sleep 8"]}} | {key: value for key, value in SLEEPER.items() if key != "image"}
    wish = site.ask_to_deploy(name, {"service.yaml": yaml.safe_dump(meta)})
    steps = lambda: [c for c in site.api.call("GET", "/containers/json", {"all": "1"}) if c["Labels"].get("slipway.build") == site.instance]  # noqa: E731
    wait_until("a step of the build runs", lambda: any("sleep 8" in one["Command"] for one in steps()), 60)
    site.engine.kill()
    site.engine.restart()
    done = site.must_end_well(wish, 90)
    assert [stage["stage"] for stage in done["stages"] if stage["state"] in ("succeeded", "warning")].count("built") == 1
    wait_until("nothing is left of the first build", lambda: not steps(), 60)
    site.must_be_well(60)


@contextlib.contextmanager
def slow(engine, rate: str):
    """So much passes to that machine in a second."""
    run(["tc", "qdisc", "add", "dev", engine.link, "root", "tbf", "rate", rate, "burst", "16kbit", "latency", "2s"], root=True)
    try:
        yield
    finally:
        run(["tc", "qdisc", "del", "dev", engine.link, "root"], root=True)


@pytest.mark.timeout(240)
def test_F30_a_build_behind_a_slow_line_ends_at_its_deadline_and_leaves_nothing(site):
    name = fresh("heavy")
    site.must_deploy(name, sleeper(name))
    serves = [(one["Id"], one["State"]["StartedAt"]) for one in site.containers(name)]
    content = built_sleeper(name, "COPY data /data") | {"data": os.urandom(20_000_000)}
    before = len(site.api.call("GET", "/images/json"))
    with slow(site.engine, "2mbit"):
        wish = site.ask_to_deploy(name, content)
        wait_until("it is said to build", lambda: site.is_building(wish), 30)
        done = site.wait_end(wish, 90)
    error = done["stages"][-1]["error"]
    assert done["end"] == "failed" and error["code"] == "build.timeout", error
    assert [(one["Id"], one["State"]["StartedAt"]) for one in site.containers(name)] == serves
    assert len(site.api.call("GET", "/images/json")) == before
    site.must_deploy(name, content)
    site.must_be_well(60)


def test_F31_a_cable_that_is_pulled_during_a_build_and_plugged_in_again(site):
    name = fresh("pulled")
    site.must_deploy(name, sleeper(name))
    wish = site.ask_to_deploy(name, built_sleeper(name, f"RUN sleep 4; echo {name} > /word"))
    wait_until("it builds", lambda: site.is_building(wish), 30)
    site.engine.cut()
    try:
        wait_until("10 s without it", lambda begun=time.monotonic(): time.monotonic() - begun > 10, 15)
        assert not site.document(wish).get("end"), "it waits for the machine"
    finally:
        site.engine.mend()
    site.must_end_well(wish, 90)
    site.must_be_well(60)


@pytest.fixture
def temporary(stack):
    made = SmallDisk(stack.folder / "small-temporary", mib=64)
    yield made
    made.close()


@pytest.mark.timeout(240)
def test_F54_without_room_for_temporary_files_who_needs_them_waits_and_others_go_on(site, stack, temporary):
    carried, other = fresh("carried"), fresh("other")
    repository, tag = "slipway-test-spare", fresh("v")
    stack.api.call("POST", f"/images/{images.MINIMAL}/tag", {"repo": repository, "tag": tag})
    left = temporary.folder / "slipway-image-left.tar"
    server = site.server()
    try:
        server.restart(env={"TMPDIR": str(temporary.folder)})
        left.write_text("of a server that was killed")
        os.utime(left, (time.time() - 7200,) * 2)  # a young one may be another server's
        there = site.ask(other, path=site.put(other, sleeper(other)), machine={"name": "there", "docker": stack.docker_host})
        assert site.wait_end(there, 60)["end"] in ("succeeded", "warning")  # and the Engine that has the image is known
        temporary.fill()
        wish = site.ask_to_deploy(carried, sleeper(carried, image=f"{repository}:{tag}"))
        waits = wait_until("it waits", lambda: (found := site.document(wish)) and [one for one in found["stages"] if one["state"] == "waiting"], 60)
        assert "cannot write" in waits[0]["message"], waits
        site.must_deploy(other, sleeper(other, env={"WORD": "two"}))
        assert not site.document(wish).get("end")
        temporary.free()
        site.must_end_well(wish, 60)
        server.restart(env={"TMPDIR": str(temporary.folder)})
        wait_until("what was left is gone", lambda: not list(temporary.folder.glob("slipway-image-*")), 60)
        for name in (carried, other):
            assert site.wait_end(site.ask(name, action="remove"), 60)["end"] == "succeeded"
        site.bus.kcat(f"{site.prefix}machine.requests", {"request_id": fresh("r"), "action": "remove", "machine": "there"})
        wait_until("its agent is gone", lambda: not stack.api.containers(f"slipway.instance={site.instance}"), 30)
    finally:
        stack.api.purge(site.instance)
        server.restart()
        stack.api.call("DELETE", f"/images/{repository}:{tag}")


def create(site: Site, name: str, published: str = "") -> str:
    body = {"Image": images.MINIMAL, "Cmd": ["sleep", "100000"]}
    if published:
        body |= {"ExposedPorts": {"80/tcp": {}}, "HostConfig": {"PortBindings": {"80/tcp": [{"HostIp": "0.0.0.0", "HostPort": published}]}}}
    made = site.api.call("POST", "/containers/create", {"name": name}, body)["Id"]
    site.api.call("POST", f"/containers/{made}/start")
    return made


def test_F35_a_foreign_container_with_our_name_or_port_is_named_and_left_alone(site):
    name = fresh("taken")
    site.must_deploy(name, sleeper(name))
    serves = site.containers(name)[0]
    theirs = [create(site, serves["Name"].strip("/").replace(f"{name}-1-1", f"{name}-2-1"))]
    try:
        done = ended(site, name, sleeper(name, env={"WORD": "two"}))
        error = done["stages"][-1]["error"]
        assert done["end"] == "failed" and error["code"] == "engine.name_taken" and f"{name}-2-1" in error["message"], error

        theirs.append(create(site, fresh("theirs"), published="18080"))
        done = ended(site, name, sleeper(name, ports=["18080:80"]))
        error = done["stages"][-1]["error"]
        assert done["end"] == "failed" and error["code"] == "engine.port_taken" and "18080" in error["message"], error

        assert all(site.api.inspect(one)["State"]["Running"] for one in theirs), "what is not ours stays"
        assert [one["Id"] for one in site.containers(name)] == [serves["Id"]] and site.containers(name)[0]["State"]["Running"]
    finally:
        for one in theirs:
            site.api.remove_container(one)
    site.must_deploy(name, sleeper(name, ports=["18080:80"]))
    site.must_be_well(60)


@pytest.fixture
def small(stack, preset, make_machine):
    made = Site(stack, preset, "small", engine=make_machine("small", with_images=(images.MINIMAL,), disk_mib=150), settings={"reconcile": {"period": "1s", "orphans_after": "5s"}})
    made.server().start()
    yield made
    made.close()
    made.engine.remove()


def test_F33_a_full_disk_is_told_in_the_engines_words_and_the_old_release_serves(small):
    name = fresh("large")
    small.must_deploy(name, sleeper(name))
    before = small.containers(name)
    images_before = len(small.api.call("GET", "/images/json"))
    done = ended(small, name, built_sleeper(name, "RUN dd if=/dev/zero of=/large bs=1M count=200"))
    error = done["stages"][-1]["error"]
    assert done["end"] == "failed" and error["code"] == "engine.disk_full" and "o space left on device" in str(error), error
    assert [(one["Id"], one["State"]["StartedAt"]) for one in small.containers(name)] == [(one["Id"], one["State"]["StartedAt"]) for one in before]
    wait_until("nothing is left of the image", lambda: len(small.api.call("GET", "/images/json")) == images_before and not [
        one for one in small.api.call("GET", "/containers/json", {"all": "1"}) if "slipway.build" in one["Labels"]], 60)
    small.must_be_well(60)

"""A Repository that is slow (F17), whose answers get lost after the effect (F18), that breaks off in the middle of an archive (F19), whose disk is full (F21), and
one that stores two documents with one id (F22)."""
import os
import random
import time

import pytest
from installation import Site, built_sleeper, sleeper
from kit import fresh, wait_until
from proxy import Proxy
from small_disk import SmallDisk

from dev_stack.base import Failed
from dev_stack.repository import Repository

WRITES = (b"\x02insert\x00", b"\x02update\x00", b"\x02findAndModify\x00")  # the name of the command in BSON


@pytest.fixture
def proxy(stack):
    host, _, port = stack.env()["MONGODB_URI"].removeprefix("mongodb://").partition("/")[0].partition(":")
    made = Proxy(host, int(port))
    yield made
    made.close()


@pytest.fixture
def unserved(stack, preset, proxy):
    direct = stack.env()["MONGODB_URI"]
    through = direct.replace(direct.removeprefix("mongodb://").partition("/")[0], f"127.0.0.1:{proxy.port}")
    made = Site(stack, preset, "mongo", settings={"mongodb": {"uri": through}})
    yield made
    made.close()


@pytest.fixture
def site(unserved):
    unserved.server().start()
    return unserved


@pytest.mark.timeout(300)
def test_F17_a_slow_repository_makes_slow_not_wrong(site, proxy):
    name = fresh("slow")
    site.must_deploy(name, sleeper(name))
    proxy.delay = 0.2
    site.must_deploy(name, sleeper(name, env={"WORD": "two"}), 200)
    begun = time.monotonic()
    assert site.status()["services"], "people are answered from memory"
    assert time.monotonic() - begun < 5
    proxy.delay = 0.0
    site.must_be_well(60)


@pytest.mark.timeout(300)
def test_F18_an_answer_that_is_lost_after_the_effect_is_looked_up(site, proxy):
    name, chance = fresh("lost"), random.Random(18)
    site.must_deploy(name, sleeper(name))
    journal = (b"deployments", b"lanes", b"releases", b"instances")
    proxy.cut_answers_to = lambda piece: any(word in piece for word in WRITES) and any(one in piece for one in journal) and chance.random() < 0.2
    for number in range(3):
        done = site.must_deploy(name, sleeper(name, env={"WORD": f"w{number}"}), 120)
        assert done["stages"][-1]["release"] == number + 2, "no number is left out"
    proxy.cut_answers_to = None
    assert proxy.cuts >= 5, "this test has cut something"
    site.must_be_well(60)


@pytest.mark.timeout(300)
def test_F19_an_archive_that_breaks_off_is_read_again_and_never_built_half(site, proxy):
    name = fresh("cut")
    site.must_deploy(name, sleeper(name))
    cut = []

    def half(piece: bytes) -> int | None:
        if b"sources.chunks" in piece and len(cut) < 3:
            cut.append(1)
            return 2_000_000
        return None

    proxy.cut_answer_after = half
    content = built_sleeper(name, "COPY data /data", "RUN sha256sum /data > /sum") | {"data": os.urandom(20_000_000)}
    site.must_deploy(name, content, 120)
    assert len(cut) == 3 and proxy.cuts >= 3
    wait_until("one container runs", lambda: [one["State"]["Running"] for one in site.containers(name)] == [True], 20)
    site.must_be_well(60)


@pytest.fixture
def disk(stack):
    made = SmallDisk(stack.folder / "small-repository", mib=80)
    yield made
    made.close()


@pytest.mark.timeout(300)
def test_F21_a_full_repository_lets_nothing_begin_and_loses_nothing(stack, preset, disk):
    store = Repository(disk.folder, {})
    store.start(27417)
    site = Site(stack, preset, "full", repository=store)
    try:
        site.server().start()
        name = fresh("waits")
        site.must_deploy(name, sleeper(name))
        serves = site.containers(name)
        disk.fill()
        wish = site.ask(name, path="nowhere/yet", machine=site.MACHINE)
        told = wait_until("status names the Repository", lambda: (done := site.server().cli("status")).returncode == 5 and done, 60)
        assert "Repository" in told.stdout + told.stderr
        assert site.server().alive()
        assert [(one["Id"], one["State"]["StartedAt"]) for one in site.containers(name)] == [(one["Id"], one["State"]["StartedAt"]) for one in serves], "nothing began"
        disk.free()
        store.stop()  # this one goes on only after a restart, mongod does by itself
        store.start()
        done = site.wait_end(wish, 90)
        assert done["end"] == "rejected" and done["stages"][-1]["error"]["code"] == "source.not_found", done["stages"][-1]
        site.must_deploy(name, sleeper(name, env={"WORD": "two"}))
        site.must_be_well(60)
    finally:
        site.close()
        store.stop()


def test_F22_a_server_that_stores_two_documents_with_one_id_is_refused(unserved, proxy):
    proxy.change_answer = lambda piece: piece.replace(b"writeErrors", b"writeErrorz")
    with pytest.raises(Failed):
        unserved.server().start()
    said = unserved.server().log.read_text()
    assert "repository.unfit" in said and "two documents with one _id" in said, said[-2000:]

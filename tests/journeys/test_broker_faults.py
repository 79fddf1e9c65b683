"""A broker that is restarted (F02), that hangs (F03), that the server cannot reach for longer than its session (F05), that hears it and is not heard (F06), and
whose disk is full (F09). What is killed is in test_outages.py."""
import contextlib
import threading
import time

import pytest
import yaml
from installation import Site
from kit import fresh, get, missing_seconds, stored_seconds, wait_until
from small_disk import SmallDisk

from dev_stack import images
from dev_stack.base import run
from dev_stack.kafka import Kafka

META = {"image": images.MINIMAL, "command": ["sleep", "100000"], "user": "65532", "healthcheck": "none", "stop_grace_period": "1s",
        "update": {"healthy_for": "200ms", "deadline": "60s"}}


def files(name: str, word: str = "one") -> dict:
    return {"service.yaml": yaml.safe_dump({"name": name, "env": {"WORD": word}} | META, sort_keys=False)}


def slow_files(name: str, seconds: int) -> dict:
    """Its image takes so long to build."""
    meta = {"name": name, "build": {"dockerfile": "Dockerfile"}} | {key: value for key, value in META.items() if key not in ("image", "user")}
    return {"service.yaml": yaml.safe_dump(meta), "Dockerfile": f"FROM {images.MINIMAL}\nRUN sleep {seconds}; echo {name} > /word\nUSER 65532:65532\n"}


@pytest.fixture(scope="module")
def disk(stack):
    made = SmallDisk(stack.folder / "small-kafka", mib=150)
    yield made
    made.close()


@pytest.fixture(scope="module")
def kafka(stack, disk):
    broker = Kafka(disk.folder, stack.bridge().address, {})
    broker.start(9492)
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def site(stack, preset, kafka):
    made = Site(stack, preset, "broker", kafka=kafka)
    made.server().start()
    yield made
    made.close()


def ask(site: Site, name: str, content: dict) -> str:
    return site.ask(name, path=site.put(name, content), machine={"name": site.MACHINE, "docker": site.endpoint})


def is_building(site: Site, wish: str) -> bool:
    found = site.document(wish)
    return bool(found and found["stages"] and found["stages"][-1]["stage"] == "built" and found["stages"][-1]["state"] == "running")


def must_end_well(site: Site, wish: str, seconds: float) -> None:
    done = site.wait_end(wish, seconds)
    assert done["end"] in ("succeeded", "warning"), done["stages"][-1]


def must_say_all(site: Site, wish: str, seconds: float) -> None:
    wait_until("every status is on Kafka", lambda: (found := site.document(wish))["published"] == len(found["stages"]), seconds)


@contextlib.contextmanager
def dropped(kafka: Kafka, *directions: str):
    """Packets between the server and this broker are lost: --dport to the broker, --sport from it."""
    rules = [["INPUT", "-i", "lo", "-p", "tcp", direction, kafka.local_brokers.rpartition(":")[2], "-j", "DROP"] for direction in directions]
    try:
        for rule in rules:
            run(["iptables", "-I", *rule], root=True)
        yield
    finally:
        for rule in rules:
            run(["iptables", "-D", *rule], root=True, check=False)


def seconds_pass(seconds: float) -> None:
    wait_until("the fault has lasted", lambda begun=time.monotonic(): time.monotonic() - begun > seconds, seconds + 5)


def test_F02_a_restarted_broker_is_found_again(site, kafka):
    name = fresh("restarted")
    site.must_deploy(name, files(name))
    kafka.stop()
    kafka.start()
    wish = ask(site, name, files(name, "two"))
    wait_until("the request is taken", lambda: site.document(wish), 10)
    must_end_well(site, wish, 60)
    site.must_be_well(60)


@pytest.mark.timeout(300)
def test_F03_while_a_broker_hangs_the_server_answers_and_works_and_says_it_later(site, kafka):
    names = [fresh("hung") for _ in range(4)]
    for name in names:
        site.must_deploy(name, files(name))
    wishes = [ask(site, name, slow_files(name, 5)) for name in names]
    wait_until("all build", lambda: all(is_building(site, wish) for wish in wishes), 60)
    slowest = [0.0]
    over = threading.Event()

    def look() -> None:
        while not over.wait(0.2):
            begun = time.monotonic()
            status, _ = get(site.server().url.removeprefix("http://"), "/api/v1/services", seconds=10)
            slowest[0] = max(slowest[0], time.monotonic() - begun)
            assert status == 200

    watching = threading.Thread(target=look)
    kafka.process.freeze()
    try:
        watching.start()
        for wish in wishes:
            must_end_well(site, wish, 90)
        seconds_pass(5)
    finally:
        kafka.process.thaw()
        over.set()
        watching.join()
    assert 0 < slowest[0] < 2, f"the slowest answer took {slowest[0]:.1f} s"
    for wish in wishes:
        must_say_all(site, wish, 60)
    site.must_be_well(60)


@pytest.mark.timeout(300)
def test_F05_a_deployment_goes_on_without_the_broker_and_says_so_later(site, kafka):
    name = fresh("apart")
    site.must_deploy(name, files(name))
    wish = ask(site, name, slow_files(name, 5))
    wait_until("it builds", lambda: is_building(site, wish), 60)
    with dropped(kafka, "--dport", "--sport"):
        must_end_well(site, wish, 90)
        assert site.document(wish)["published"] < len(site.document(wish)["stages"])
        next_wish = ask(site, name, files(name, "three"))
        seconds_pass(5)
        assert site.document(next_wish) is None, "it is cut off"
    must_say_all(site, wish, 60)
    must_end_well(site, next_wish, 60)
    site.must_be_well(60)


@pytest.mark.timeout(300)
def test_F06_one_that_hears_nothing_and_one_that_takes_over_do_everything_once(site, kafka):
    name = fresh("halved")
    site.must_deploy(name, files(name))
    other_name = fresh("new")
    site.peers["kafka"] = {"brokers": kafka.brokers, "machine_brokers": kafka.brokers}
    other = site.server("b")
    other.start()
    with dropped(kafka, "--sport"):
        wishes = [ask(site, name, slow_files(name, 2)), ask(site, other_name, files(other_name))]
        for round_ in range(2):
            wishes.append(ask(site, name, files(name, f"round {round_}")))
        seconds_pass(10)
        for wish in wishes[:1]:
            site.wait_end(wish, 90)
    for wish in wishes:
        site.wait_end(wish, 90)
    other.stop()
    site.servers.pop("b")
    site.must_be_well(60)


@pytest.mark.timeout(300)
def test_F09_a_broker_whose_disk_is_full_is_named_and_nothing_is_lost(site, kafka, disk):
    name = fresh("full")
    site.must_deploy(name, files(name))
    since = time.time() * 1000
    disk.fill()
    wait_until("the broker has given up", lambda: not kafka.alive(), 60)
    told = wait_until("status names Kafka", lambda: (done := site.server().cli("status")).returncode == 5 and done, 60)
    assert "Kafka" in told.stdout + told.stderr
    seconds_pass(10)
    disk.free()
    kafka.start()
    wish = ask(site, name, files(name, "two"))
    must_end_well(site, wish, 90)
    now = time.time() * 1000
    rows = wait_until("the seconds until now are stored",
                      lambda: (found := stored_seconds(site.database, site.MACHINE, since)) and found[-1][2] >= now and found, 60, every=1)
    assert missing_seconds(rows) == []
    assert len(rows) > 10
    site.must_be_well(60)

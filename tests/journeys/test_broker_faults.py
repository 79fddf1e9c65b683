"""A broker that is restarted (F02), that hangs (F03), that the server cannot reach for longer than its session (F05), that hears it and is not heard (F06), and
whose disk is full (F09). What is killed is in test_outages.py."""
import threading
import time

import pytest
from installation import Site, built_sleeper, sleeper
from kit import fresh, get, missing_seconds, stored_seconds, wait_until
from small_disk import SmallDisk

from dev_stack import network
from dev_stack.kafka import Kafka

@pytest.fixture(scope="module")
def disk(stack):
    made = SmallDisk(stack.folder / "small-kafka", mib=150)
    yield made
    made.close()


@pytest.fixture(scope="module")
def kafka(stack, disk):
    broker = Kafka(disk.folder, stack.bridge().address, {})
    broker.start(9592)
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def site(stack, preset, kafka):
    made = Site(stack, preset, "broker", kafka=kafka)
    made.server().start()
    yield made
    made.close()


def slow(name: str, seconds: int) -> dict:
    """Its image takes so long to build."""
    return built_sleeper(name, f"RUN sleep {seconds}; echo {name} > /word")


def must_say_all(site: Site, wish: str, seconds: float) -> None:
    wait_until("every status is on Kafka", lambda: (found := site.document(wish))["published"] == len(found["stages"]), seconds)


def dropped(kafka: Kafka, *directions: str):
    """Packets between the server and this broker are lost: --dport to the broker, --sport from it."""
    port = kafka.local_brokers.rpartition(":")[2]
    return network.temporary(*[["INPUT", "-i", "lo", "-p", "tcp", direction, port, "-j", "DROP"] for direction in directions])


def seconds_pass(seconds: float) -> None:
    wait_until("the fault has lasted", lambda begun=time.monotonic(): time.monotonic() - begun > seconds, seconds + 5)


def test_F02_a_restarted_broker_is_found_again(site, kafka):
    name = fresh("restarted")
    site.must_deploy(name, sleeper(name))
    kafka.stop()
    kafka.start()
    wish = site.ask_to_deploy(name, sleeper(name, env={"WORD": "two"}))
    wait_until("the request is taken", lambda: site.document(wish), 10)
    site.must_end_well(wish, 60)
    site.must_be_well(60)


@pytest.mark.timeout(300)
def test_F03_while_a_broker_hangs_the_server_answers_and_works_and_says_it_later(site, kafka):
    names = [fresh("hung") for _ in range(4)]
    for name in names:
        site.must_deploy(name, sleeper(name))
    wishes = [site.ask_to_deploy(name, slow(name, 5)) for name in names]
    wait_until("all build", lambda: all(site.is_building(wish) for wish in wishes), 60)
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
            site.must_end_well(wish, 90)
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
    site.must_deploy(name, sleeper(name))
    wish = site.ask_to_deploy(name, slow(name, 5))
    wait_until("it builds", lambda: site.is_building(wish), 60)
    with dropped(kafka, "--dport", "--sport"):
        site.must_end_well(wish, 90)
        assert site.document(wish)["published"] < len(site.document(wish)["stages"])
        next_wish = site.ask_to_deploy(name, sleeper(name, env={"WORD": "three"}))
        seconds_pass(5)
        assert site.document(next_wish) is None, "it is cut off"
    must_say_all(site, wish, 60)
    site.must_end_well(next_wish, 60)
    site.must_be_well(60)


@pytest.mark.timeout(300)
def test_F06_one_that_hears_nothing_and_one_that_takes_over_do_everything_once(site, kafka):
    name = fresh("halved")
    site.must_deploy(name, sleeper(name))
    other_name = fresh("new")
    site.peers["kafka"] = {"brokers": kafka.brokers, "machine_brokers": kafka.brokers}
    other = site.server("b")
    other.start()
    with dropped(kafka, "--sport"):
        wishes = [site.ask_to_deploy(name, slow(name, 2)), site.ask_to_deploy(other_name, sleeper(other_name))]
        for round_ in range(2):
            wishes.append(site.ask_to_deploy(name, sleeper(name, env={"WORD": f"round {round_}"})))
        seconds_pass(10)
        # The only Node Manager is the deaf one: what comes first in a lane is refused after a minute. Requests without a key come in any order.
        wait_until("one has ended", lambda: any((site.document(wish) or {}).get("end") for wish in wishes), 90)
    for wish in wishes:
        site.wait_end(wish, 90)
    other.stop()
    site.servers.pop("b")
    site.must_be_well(60)


@pytest.mark.timeout(300)
def test_F09_a_broker_whose_disk_is_full_is_named_and_nothing_is_lost(site, kafka, disk):
    name = fresh("full")
    site.must_deploy(name, sleeper(name))
    since = time.time() * 1000
    disk.fill()
    wait_until("the broker has given up", lambda: not kafka.alive(), 60)
    told = wait_until("status names Kafka", lambda: (done := site.server().cli("status")).returncode == 5 and done, 60)
    assert "Kafka" in told.stdout + told.stderr
    seconds_pass(10)
    disk.free()
    kafka.start()
    wish = site.ask_to_deploy(name, sleeper(name, env={"WORD": "two"}))
    site.must_end_well(wish, 90)
    now = time.time() * 1000
    rows = wait_until("the seconds until now are stored",
                      lambda: (found := stored_seconds(site.database, site.MACHINE, since)) and found[-1][2] >= now and found, 60, every=1)
    assert missing_seconds(rows) == []
    assert len(rows) > 10
    site.must_be_well(60)

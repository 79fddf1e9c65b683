"""The Life Cycle Manager away while deployments go on (F74), and one that says all its requests again and again (F75)."""
import pytest
from installation import Site, sleeper
from kit import fresh, request_id, wait_until

REQUESTS, TIMES = 200, 10


@pytest.fixture
def site(stack, preset):
    made = Site(stack, preset, "lcm")
    yield made
    made.close()


@pytest.mark.timeout(240)
def test_F74_statuses_wait_for_a_life_cycle_manager_that_is_away(site):
    name = fresh("alone")
    site.server("all").start()
    site.must_deploy(name, sleeper(name))
    site.server("all").stop()
    rest = site.server("rest")
    rest.roles = "deployment_manager,monitoring_service,sensor_manager,scheduler,heart_beat_manager,node_manager,gateway"
    rest.start()
    done = site.must_deploy(name, sleeper(name, env={"WORD": "two"}))
    release = done["stages"][-1]["release"]
    known = site.database["services"].find_one({"_id": name})
    assert known["serving"] == release - 1, "nobody keeps the list of services"
    back = site.server("lcm")
    back.roles = "life_cycle_manager,gateway"  # whose address says that it is ready
    back.start()
    wait_until("it has heard what it missed", lambda: site.database["services"].find_one({"_id": name})["serving"] == release, 30)
    back.stop()
    site.must_be_well(60)


@pytest.mark.timeout(300)
def test_F75_all_requests_said_ten_times_are_done_once(site, stack):
    site.server().start()
    names = [fresh("said") for _ in range(4)]
    for name in names:
        site.must_deploy(name, sleeper(name))
    wishes = []
    for number in range(REQUESTS):
        name = names[number % len(names)]
        wishes.append({"request_id": request_id(), "service_id": name, "path": site.put(name, sleeper(name, env={"WORD": f"w{number}"})), "machine": site.MACHINE})
    topic = f"{site.prefix}deployment.requests"
    site.bus.kcat(topic, *wishes)
    for wish in wishes:
        site.wait_end(wish["request_id"], 120)
    site.must_be_well(60)
    ends = {wish["request_id"]: site.document(wish["request_id"]) for wish in wishes}
    assert {one["end"] for one in ends.values()} <= {"succeeded", "warning", "superseded"}
    assert sum(one["end"] != "superseded" for one in ends.values()) >= len(names)
    containers = {name: site.containers(name)[0]["Id"] for name in names}
    for _ in range(TIMES - 1):
        site.bus.kcat(topic, *wishes)
    answers = site.bus.watch(f"{site.prefix}deployment.status")
    last = {"request_id": request_id(), "service_id": names[0], "action": "restart"}
    site.bus.kcat(topic, last)
    answers.until("all before it are answered", lambda v: v["request_id"] == last["request_id"] and v["final"], 120)
    assert {name: site.containers(name)[0]["Id"] for name in names} == containers, "no container was made"
    assert {one: site.document(one) for one in ends} == ends, "no document was touched"
    site.must_be_well(60)

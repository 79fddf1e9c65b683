"""Two whole servers share one installation, each with all roles: every effect happens once, and when one of them is killed the other does all of it."""
import json

import pytest
from installation import Site
from kit import Containers, fresh, request_id, wait_until

from dev_stack import images

SERVICES = 6


def files(name: str, word: str) -> dict:
    return {"service.yaml": json.dumps({"name": name, "image": images.MINIMAL, "command": ["sleep", "100000"], "user": "65532", "env": {"WORD": word},
                                        "stop_grace_period": "1s", "update": {"healthy_for": "200ms", "deadline": "30s"}})}


@pytest.fixture
def site(stack, preset):
    made = Site(stack, preset, "two")
    yield made
    made.close()


def deploy_all(site: Site, names: list[str], word: str) -> None:
    """Each by the machine that the Scheduler chooses."""
    wishes = [site.ask(name, path=site.put(name, files(name, word))) for name in names]
    for wish in wishes:
        assert site.wait_end(wish, 90)["end"] in ("succeeded", "warning"), site.document(wish)["stages"][-1]


def numbers(readings) -> list[int]:
    readings.poll(1)
    return [message["value"]["seq"] for message in readings.messages]


@pytest.mark.timeout(300)
def test_two_of_every_role_do_everything_once_and_one_does_it_alone(site):
    first, second = site.server("a"), site.server("b")
    first.start()
    second.start()
    watched = {topic: site.bus.watch(f"{site.prefix}{topic}") for topic in ("placement.replies", "sensor.replies", "service.events")}
    names = [fresh("pair") for _ in range(SERVICES)]
    site.must_deploy(names[0], files(names[0], "zero"))  # registers the machine

    sensor = fresh("n")
    wish = {"request_id": request_id(), "action": "simulate", "sensor": {"sensor_id": sensor, "type": "number", "rate": "20/s"}}
    site.bus.kcat(f"{site.prefix}sensor.requests", wish)
    reply = watched["sensor.replies"].until("the sensor is there", lambda v: v["request_id"] == wish["request_id"])["value"]
    assert not reply.get("error"), reply
    readings = site.bus.watch(site.database["sensors"].find_one({"_id": sensor})["topic"], from_beginning=True)

    deploy_all(site, names, "one")
    watched["placement.replies"].poll(1)
    answers = {}
    for message in watched["placement.replies"].messages:
        answers.setdefault(message["value"]["request_id"], set()).add(json.dumps(message["value"], sort_keys=True))
    assert len(answers) >= SERVICES - 1, "the first service may keep its machine"
    assert all(len(said) == 1 for said in answers.values()), "each question has one answer, however often it is repeated"

    # One death is told once and healed once.
    victim = site.containers(names[1])[0]
    site.api.call("POST", f"/containers/{victim['Id']}/kill")
    watched["service.events"].until("that it died", lambda v: v["service_id"] == names[1] and v["event"] == "died", 30)
    wait_until("it runs again", lambda: [one["State"]["Running"] for one in site.containers(names[1])] == [True], 60)
    site.must_be_well(60)
    watched["service.events"].poll(1)
    died = [m["value"] for m in watched["service.events"].messages if m["value"]["service_id"] == names[1] and m["value"]["event"] == "died"]
    assert len(died) == 1, died

    first.kill()
    deploy_all(site, names, "two")  # leases run out, then the other does the work
    wait_until("the other is the whole installation", lambda: json.loads(second.cli("status", "-o", "json").stdout)["ok"], 60)
    before = len(numbers(readings))
    wait_until("the sensor is simulated by the other", lambda: len(numbers(readings)) > before, 30)
    counted = numbers(readings)
    assert counted == list(range(1, len(counted) + 1)), "each reading is published once"
    site.must_be_well(60)
    made = Containers(site.api, site.instance).of(running=False)
    assert len([one for one in made if one["Config"]["Labels"]["slipway.role"] == "service"]) == SERVICES

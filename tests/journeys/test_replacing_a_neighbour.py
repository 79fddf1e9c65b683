"""Whichever of these five roles is switched off: a program of under 60 lines, in Python, JavaScript or bash, takes its place, and nobody notices."""
import json
import sys
import threading

import pytest
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic
from kit import fresh, put_source, service, wait_until, write_folder

from dev_stack import images, process
from dev_stack.base import ROOT
from dev_stack.server import Server

FOLDER = ROOT / "examples" / "replacing-a-neighbour"
PROGRAMS = {"life_cycle_manager": "life_cycle_manager.py", "node_manager": "node_manager.py", "sensor_manager": "sensor_manager.js",
            "heart_beat_manager": "heart_beat_manager.js", "scheduler": "scheduler.sh"}
RUN_BY = {".py": sys.executable, ".js": "node", ".sh": "bash"}
TITLES = {"life_cycle_manager": "Service Life Cycle Manager", "node_manager": "Node Manager", "sensor_manager": "Sensor Manager",
          "heart_beat_manager": "Heart Beat Manager", "scheduler": "Scheduler"}
OTHERS = ["deployment_manager", "monitoring_service", "gateway"]
HERE = "here"


@pytest.fixture(params=PROGRAMS)
def replaced(request, stack, preset, _server, tmp_path):
    """The role, and the server without it; the program is beside it."""
    role, program = request.param, FOLDER / PROGRAMS[request.param]
    _server.stop()
    server = Server(stack, preset, name="with-a-stranger", roles=",".join([*OTHERS, *(one for one in PROGRAMS if one != role)]))
    stranger = process.start([RUN_BY[program.suffix], program], stack.folder / "logs" / f"{program.name}.log", cwd=tmp_path,
                             env={name: stack.env()[name] for name in ("KAFKA_BROKERS", "MONGODB_URI")})
    try:
        server.start()
        yield role, server
        assert stranger.alive(), f"{program.name} ended: {(stack.folder / 'logs' / f'{program.name}.log').read_text()[-2000:]}"
    finally:
        stranger.stop()
        server.stop()


@pytest.fixture(scope="module")
def sensor(stack):
    """A topic into which somebody writes a reading every 50 ms, as the sensor's owner does."""
    brokers = {"bootstrap.servers": stack.env()["KAFKA_BROKERS"]}
    topic = fresh("journeys.sensor")
    admin = AdminClient(brokers)
    admin.create_topics([NewTopic(topic, 1, 1)])[topic].result(30)
    producer, done = Producer(brokers | {"max.in.flight.requests.per.connection": 1}), threading.Event()

    def write() -> None:
        number = 0
        while not done.wait(0.05):
            number += 1
            producer.produce(topic, json.dumps({"seq": number}))
        producer.flush(10)

    writer = threading.Thread(target=write)
    writer.start()
    yield {"sensor_id": fresh("bench"), "type": fresh("counter"), "location": {"site": "journeys", "room": "bench"}, "topic": topic}
    done.set()
    writer.join()


@pytest.fixture(scope="module")
def recorder(sensor):
    """The name and the files of one service that reads it: the same for all roles, so it is built once."""
    name = fresh("neighbour")
    return name, service("recorder", name, env={"OUT": f"{name}.out"}, topics=[f"{name}.out"], update={"healthy_for": "200ms", "deadline": "30s"},
                         sensors=[{"name": "numbers", "type": sensor["type"], "location": "journeys/bench", "rate": "20/s", "required": True}])


def system(cli, name: str) -> str:
    return {one["name"]: one["state"] for one in json.loads(cli("status", "-o", "json").stdout)["systems"]}[name]


@pytest.mark.parametrize("program", PROGRAMS.values())
def test_it_is_short(program):
    assert len((FOLDER / program).read_text().splitlines()) < 60


def test_they_speak_three_languages_and_none_is_ours():
    assert {program.rpartition(".")[2] for program in PROGRAMS.values()} == {"py", "js", "sh"}


def test_a_deployment_its_sensor_and_its_end(replaced, recorder, sensor, bus, repository, containers, stack, lend_machine, tmp_path):
    role, server = replaced
    name, files = recorder
    cli = server.cli
    placed, states = bus.watch("slipway.placement.replies"), bus.watch("slipway.machine.state", from_beginning=True)
    wait_until(f"{TITLES[role]} counts as up", lambda: system(cli, TITLES[role]) == "up", 30)
    if repository["machines"].find_one({"_id": HERE}) is None:
        assert not bus.ask("machine", {"action": "add", "machine": HERE, "docker": stack.docker_host}).get("error")
    assert not bus.ask("sensor", {"action": "add", "sensor": sensor}).get("error")
    states.until("the machine is up", lambda v: v["machine"] == HERE and v["state"] == "up", 30)

    done = cli("deploy", write_folder(tmp_path / "service", files))
    assert done.returncode == 0, done.stdout + done.stderr
    assert placed.until("the Scheduler named a machine", lambda v: v["service_id"] == name, 10)["value"]["machine"] == HERE
    mine = next(one for one in json.loads(cli("status", "-o", "json").stdout)["services"] if one["name"] == name)
    assert mine["state"] == "running" and mine["machine"] == HERE, mine
    bus.watch(f"{name}.out", from_beginning=True).until("a reading was processed", lambda v: v["release"] == mine["release"], 30)

    PARTICULARS[role](bus, repository, containers, lend_machine, states, name)

    assert cli("stop", name, "--yes").returncode == 0
    assert containers.of(name) == []
    assert cli("rm", name, "--yes").returncode == 0
    wait_until("it is removed", lambda: repository["services"].find_one({"_id": name})["state"] == "removed", 10)
    assert containers.of(name, running=False) == []
    assert not bus.ask("sensor", {"action": "remove", "sensor_id": sensor["sensor_id"]}).get("error")


# What is the role's own, beyond the deployment.


def life_cycle_manager(bus, repository, containers, lend_machine, states, name):
    wait_until("the collection is kept", lambda: (repository["services"].find_one({"_id": name}) or {}).get("state") == "running", 10)
    refused = bus.ask("service", {"action": "dance", "service_id": name})
    assert refused["accepted"] is False and refused["error"]["code"] == "request.action"


def node_manager(bus, repository, containers, lend_machine, states, name):
    other, machine = fresh("neighbour"), fresh("edge")
    path = put_source(repository, f"{other}/1", {"service.yaml": json.dumps({
        "name": other, "image": images.MINIMAL, "command": ["sleep", "100000"], "user": "65532", "healthcheck": "none", "stop_grace_period": "1s", "update": {"healthy_for": "200ms"}})})
    with lend_machine() as engine:
        told = bus.request({"service_id": other, "path": path, "machine": {"name": machine, "docker": engine.endpoint}})
        assert told[-1]["state"] == "succeeded", told[-1]
        refusals = {"machine.conflict": {"action": "add", "docker": "tcp://127.0.0.1:9"}, "machine.in_use": {"action": "remove"}}
        for code, wish in refusals.items():
            assert bus.ask("machine", {"machine": machine, **wish})["error"]["code"] == code
        assert bus.ask("machine", {"action": "add", "machine": fresh("edge"), "docker": "tcp://127.0.0.1:9"})["error"]["code"] == "machine.unreachable"
        assert bus.request({"service_id": other, "action": "remove"})[-1]["state"] == "succeeded"
        assert not bus.ask("machine", {"action": "remove", "machine": machine}).get("error")
        assert repository["machines"].find_one({"_id": machine}) is None


def sensor_manager(bus, repository, containers, lend_machine, states, name):
    other = fresh("neighbour")
    path = put_source(repository, f"{other}/1", {"service.yaml": json.dumps({
        "name": other, "image": images.MINIMAL, "user": "65532", "healthcheck": "none", "sensors": [{"name": "air", "type": "bme999", "rate": "1/s", "required": True}]})})
    end = bus.request({"service_id": other, "path": path, "machine": HERE})[-1]
    assert end["error"]["code"] == "sensor.missing" and "bme999" in end["error"]["message"], end


def heart_beat_manager(bus, repository, containers, lend_machine, states, name):
    agent = containers.agent()["Id"]
    containers.api.call("POST", f"/containers/{agent}/pause")
    try:
        states.until("its silence is noticed", lambda v: v["machine"] == HERE and v["state"] == "suspect", 20)
    finally:
        containers.api.call("POST", f"/containers/{agent}/unpause")
    seen = len(states.messages)
    wait_until("so is its voice", lambda: states.poll(0.2) is not None and any(m["key"] == HERE and m["value"] and m["value"]["state"] == "up" for m in states.messages[seen:]), 20)


def scheduler(bus, repository, containers, lend_machine, states, name):
    placed = bus.ask("placement", {"service_id": name})
    assert placed["machine"] == HERE and placed["reason"].startswith("one of "), "the words are the script's"


PARTICULARS = {"life_cycle_manager": life_cycle_manager, "node_manager": node_manager, "sensor_manager": sensor_manager, "heart_beat_manager": heart_beat_manager,
               "scheduler": scheduler}

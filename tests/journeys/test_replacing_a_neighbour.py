"""With life_cycle_manager switched off, a Python script of under 60 lines takes its place, and nobody notices."""
import json
import sys

import pytest
from kit import fresh, get, service, wait_until, write_folder

from dev_stack import process
from dev_stack.base import ROOT
from dev_stack.server import Server

SCRIPT = ROOT / "examples" / "replacing-a-neighbour" / "life_cycle_manager.py"
OTHERS = "deployment_manager,monitoring_service,sensor_manager,scheduler,heart_beat_manager,node_manager,gateway"


@pytest.fixture(scope="module")
def without(stack, preset, _server):
    """The server without that role, the script beside it."""
    _server.stop()
    one = Server(stack, preset, name="without-life-cycle", roles=OTHERS)
    env = stack.env()
    one.start()
    script = process.start([sys.executable, SCRIPT], stack.folder / "logs" / "life_cycle_manager.py.log",
                           env={"KAFKA_BROKERS": env["KAFKA_BROKERS"], "MONGODB_URI": env["MONGODB_URI"]})
    yield one
    assert script.alive(), "the script lived to the end"
    script.stop()
    one.stop()


def test_the_script_is_short():
    assert len(SCRIPT.read_text().splitlines()) < 60


def test_deployment_status_and_healing_go_on(without, bus, repository, containers, stack, tmp_path):
    cli = without.cli
    machine = "here"
    if repository["machines"].find_one({"_id": machine}) is None:
        assert not bus.ask("machine", {"action": "add", "machine": machine, "docker": stack.docker_host}).get("error")
    name = fresh("neighbour")

    done = cli("deploy", write_folder(tmp_path / "good", service("moody", name, env={"WORD": "one"})), "--machine", machine)
    assert done.returncode == 0, done.stdout + done.stderr
    assert b'"one"' in get(containers.address(containers.one(name)))[1]
    status = json.loads(cli("status", "-o", "json").stdout)
    mine = next(one for one in status["services"] if one["name"] == name)
    assert mine["state"] == "running" and mine["release"] == 1
    wait_until("it counts as up", lambda: {"name": "Service Life Cycle Manager", "state": "up"}.items()
               <= next(s for s in json.loads(cli("status", "-o", "json").stdout)["systems"] if s["name"] == "Service Life Cycle Manager").items(), 30)
    wait_until("the script keeps the collection", lambda: (repository["services"].find_one({"_id": name}) or {}).get("state") == "running", 10)

    done = cli("deploy", write_folder(tmp_path / "bad", service("moody", name, env={"MOOD": "dies_at_start"})), "--machine", machine)
    assert done.returncode == 7, done.stdout + done.stderr

    containers.api.remove_container(containers.one(name)["Id"])
    healed = wait_until("what was removed by hand is back", lambda: containers.of(name), 30)
    assert healed[0]["Config"]["Labels"]["slipway.release"] == "1"

    refused = bus.ask("service", {"action": "dance", "service_id": name})
    assert refused["accepted"] is False and refused["error"]["code"] == "request.action"
    assert cli("stop", name, "--yes").returncode == 0
    wait_until("stopped", lambda: repository["services"].find_one({"_id": name})["state"] == "stopped", 10)
    assert containers.of(name) == []
    assert cli("rm", name, "--yes").returncode == 0
    wait_until("removed", lambda: repository["services"].find_one({"_id": name})["state"] == "removed", 10)

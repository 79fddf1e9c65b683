"""What a newcomer sees after ./dev up: the example is healthy, its sensor reports, all eleven systems are up, its page shows the last reading, its container is hardened."""
import json

import pytest
from kit import get, wait_until

from dev_stack.base import ROOT
from dev_stack.up import SENSOR

NAME = "boiler-monitor"


@pytest.fixture(scope="module")
def folder():
    return ROOT / "examples" / NAME


@pytest.fixture
def running(slipway, here, folder, containers):
    """The steps of ./dev up after the server is there; a second time they change nothing."""
    if "boiler-7" not in slipway("sensor", "ls").stdout:
        added = slipway(*SENSOR)
        assert added.returncode == 0, added.stdout + added.stderr
    done = slipway("deploy", folder, "--machine", here)
    assert done.returncode == 0, done.stdout + done.stderr
    return containers.one(NAME)


def status(slipway) -> dict:
    done = slipway("status", "-o", "json")
    assert done.stdout, done.stderr
    return json.loads(done.stdout)


def test_status_shows_it_healthy_and_all_systems_up(running, slipway):
    def well():
        told = status(slipway)
        mine = next(one for one in told["services"] if one["name"] == NAME)
        return mine["state"] == "running" and mine["health"] == "healthy" and [s["state"] for s in mine["sensors"]] == ["reporting"] and {s["state"] for s in told["systems"]} == {"up"} and told

    told = wait_until("all is well", well, 60)
    assert len(told["systems"]) == 11 and {one["state"] for one in told["systems"]} == {"up"}
    text = slipway("status").stdout
    for system in told["systems"]:
        assert system["name"] in text


def test_its_page_shows_the_last_reading(running, slipway):
    address = next(one for one in status(slipway)["services"] if one["name"] == NAME)["ports"][0]["address"]
    first = wait_until("a reading", lambda: (page := json.loads(get(address)[1]))["reading"] and page, 20)
    assert {"temperature", "humidity", "pressure"} <= set(first["reading"])
    assert first["topic"] == "sensor.bme280.boiler-7"
    wait_until("the next reading", lambda: json.loads(get(address)[1])["readings"] > first["readings"], 20)
    assert get(address, "/healthz")[0] == 200


def test_the_container_is_hardened(running):
    host, config = running["HostConfig"], running["Config"]
    assert config["User"].split(":")[0] == "65532"
    assert host["Privileged"] is False and [cap.upper() for cap in host["CapDrop"]] == ["ALL"] and not host["CapAdd"]
    assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"])
    assert not any("unconfined" in option for option in host["SecurityOpt"])
    assert host["PidsLimit"] == 256 and host["Memory"] == 128 << 20 and host["MemorySwap"] == host["Memory"] and host["NanoCpus"] == 500_000_000
    assert host["ReadonlyRootfs"] is True and "mode=1777" in host["Tmpfs"]["/tmp"]
    assert host["NetworkMode"].endswith("slipway") and host["PidMode"] == "" and host["IpcMode"] in ("private", "") and not host["Devices"]
    assert host["Init"] is True
    assert not host["Binds"] and all(mount["Type"] in ("volume", "tmpfs") for mount in running["Mounts"])
    assert all(entry["HostIp"] == "127.0.0.1" for published in running["NetworkSettings"]["Ports"].values() for entry in published or [])
    log = host["LogConfig"]
    assert log["Type"] == "local" or log["Config"] == {"max-size": "10m", "max-file": "3"}
    assert host["RestartPolicy"]["Name"] == "always"
    assert config["Healthcheck"]["Test"][0] in ("CMD", "CMD-SHELL") and "probe" in " ".join(config["Healthcheck"]["Test"])
    assert "docker.sock" not in json.dumps(running["Mounts"])


def test_the_service_is_told_what_it_needs(running, stack):
    env = dict(line.split("=", 1) for line in running["Config"]["Env"])
    assert env["SLIPWAY_SERVICE"] == NAME and env["SLIPWAY_MACHINE"] == "here" and env["SLIPWAY_REPLICA"] == "1" and env["SLIPWAY_VERSION"] == "1.4.0"
    assert env["SLIPWAY_RELEASE"] == running["Config"]["Labels"]["slipway.release"] and env["SLIPWAY_REQUEST"] == running["Config"]["Labels"]["slipway.request"]
    assert env["SLIPWAY_KAFKA_GROUP"] == f"slipway.service.{NAME}" and env["SLIPWAY_KAFKA_GROUP_INSTANCE"] == f"{NAME}-1"
    assert env["SLIPWAY_SENSOR_AIR_TOPIC"] == "sensor.bme280.boiler-7" and env["SLIPWAY_KAFKA_BROKERS"] == stack.env()["KAFKA_BROKERS"]


def test_docker_ps_shows_the_agent_which_may_do_little(running, containers):
    agent = containers.agent()
    assert agent is not None and agent["Name"].endswith("slipway-agent")
    host = agent["HostConfig"]
    assert agent["Config"]["User"].split(":")[0] == "65531"
    assert host["Privileged"] is False and [cap.upper() for cap in host["CapDrop"]] == ["ALL"] and not host["CapAdd"] and host["ReadonlyRootfs"] is True
    assert host["NetworkMode"] == "host" and host["PidMode"] == "host"
    assert host["Memory"] == 64 << 20 and host["NanoCpus"] == 500_000_000 and host["PidsLimit"] == 64 and host["RestartPolicy"]["Name"] == "always"
    assert "docker.sock" not in json.dumps(agent["Mounts"])
    assert all(not mount["RW"] for mount in agent["Mounts"] if mount["Type"] == "bind")

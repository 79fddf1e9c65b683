"""Whichever of the eleven systems stops, status and doctor name it within 30 seconds."""
import json
import time

import pytest
from kit import Containers, fresh, wait_until

from dev_stack import build, process
from dev_stack.server import Server

EDGE = fresh("edge")
SYSTEMS = {
    "deployment_manager": "Deployment Manager", "monitoring_service": "Monitoring Service", "life_cycle_manager": "Service Life Cycle Manager",
    "sensor_manager": "Sensor Manager", "scheduler": "Scheduler", "heart_beat_manager": "Heart Beat Manager", "node_manager": "Node Manager",
}
ALL = [*SYSTEMS.values(), "Machine Agent", "Repository", "Kafka", "Docker"]


class Role:
    """One role in a process of its own. Without the gateway it has no address; that it works is seen in its consumer group, as status does."""

    def __init__(self, stack, preset: str, role: str):
        self.server = Server(stack, preset, name=f"split-{role}", roles=role)
        self.server.record.setdefault("port", 0)
        self.running = None

    def start(self) -> None:
        self.server.write_config()
        self.running = process.start([build.binary("slipway", self.server.preset), "serve", "--roles", self.server.roles, "--config", self.server.config], self.server.log,
                                     cwd=self.server.folder)

    def stop(self) -> None:
        """SIGTERM: it must leave its group and end by itself."""
        begun = time.monotonic()
        self.running.stop(15)
        assert time.monotonic() - begun < 10, "SIGTERM ends a server within 10 s"


@pytest.fixture(scope="module")
def split(stack, preset, _server):
    """One process for each role: splitting is configuration, never code."""
    _server.stop()
    gateway = Server(stack, preset, name="split-gateway", roles="gateway")
    roles = {role: Role(stack, preset, role) for role in SYSTEMS}
    try:
        gateway.start()
        for one in roles.values():
            one.start()
        yield gateway, roles
    finally:
        gateway.stop()
        for one in roles.values():
            if one.running:
                one.running.stop(15)


@pytest.fixture(scope="module")
def engine(lend_machine):
    with lend_machine() as made:
        yield made


@pytest.fixture
def cli(split):
    gateway, _ = split
    return gateway.cli


def states(cli) -> dict[str, str]:
    done = cli("status", "-o", "json")
    try:
        return {one["name"]: one["state"] for one in json.loads(done.stdout)["systems"]}
    except ValueError:
        raise AssertionError(f"status said: {done.stdout}{done.stderr}") from None


def bad(cli) -> list[str]:
    return [name for name, state in states(cli).items() if state != "up"]


def all_up(cli) -> None:
    wait_until("all eleven are up", lambda: list(states(cli)) and not bad(cli) or None, 60)


def named_by_both(cli, name: str) -> None:
    wait_until(f"status names {name}", lambda: name in bad(cli), 30)
    begun = time.monotonic()
    done = cli("doctor")
    assert done.returncode != 0 and name in done.stdout, f"doctor says: {done.stdout}{done.stderr}"
    text = cli("status")
    assert name in text.stdout
    assert time.monotonic() - begun < 15


def test_all_eleven_are_there_by_the_missions_names(cli, split, bus, engine):
    bus.ask("machine", {"action": "add", "machine": EDGE, "docker": engine.endpoint})
    all_up(cli)
    assert sorted(states(cli)) == sorted(ALL)
    # A machine that was just added is unknown until its first sample.
    wait_until("doctor finds nothing", lambda: cli("doctor").returncode == 0, 30)


@pytest.mark.parametrize("role", SYSTEMS)
def test_a_role(role, split, cli):
    _, roles = split
    all_up(cli)
    roles[role].stop()
    named_by_both(cli, SYSTEMS[role])
    roles[role].start()
    all_up(cli)


def test_the_machine_agent(cli, split, engine, stack):
    all_up(cli)
    agent = Containers(engine.api, stack.instance).agent()
    engine.api.call("POST", f"/containers/{agent['Id']}/pause")
    named_by_both(cli, "Machine Agent")
    assert EDGE in cli("doctor").stdout
    engine.api.call("POST", f"/containers/{agent['Id']}/unpause")
    all_up(cli)


def test_docker(cli, split, engine):
    all_up(cli)
    engine.freeze()
    try:
        named_by_both(cli, "Docker")
        assert EDGE in cli("doctor").stdout
    finally:
        engine.thaw()
    all_up(cli)


@pytest.mark.parametrize("name", ["Repository", "Kafka"])
def test_kafka_and_the_repository_end_with_code_5(name, cli, split, stack):
    all_up(cli)
    part = stack.repository if name == "Repository" else stack.kafka
    part.stop()
    try:
        for command in ("status", "doctor"):
            done = wait_until(f"{command} names {name}", lambda: (d := cli(command)).returncode == 5 and name in d.stdout + d.stderr and d, 30)
            assert done.returncode == 5
    finally:
        part.start()
        stack.save()
    all_up(cli)

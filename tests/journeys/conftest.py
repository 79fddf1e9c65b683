"""Fixtures over the stack that `./dev test` made. To work on journeys: ./dev stack up --name mine, then
DEV_STACK_NAME=mine DEV_STACK_PRESET=dev .slipway-dev/tools/journeys-*/bin/python -m pytest tests/journeys/test_x.py (from the root, PYTHONPATH=.)."""
import contextlib
import os
import sys
from pathlib import Path

import pymongo
import pytest

sys.path.insert(0, str(Path(__file__).parent))
sys.path.insert(0, str(Path(__file__).parents[2] / "contracts" / "examples"))  # the reader of the columns

from kit import Bus, Containers, put_source, request_id, service, wait_until  # noqa: E402

from dev_stack import engine, images  # noqa: E402
from dev_stack.server import Server  # noqa: E402
from dev_stack.stack import Stack  # noqa: E402


@pytest.fixture(scope="session")
def stack() -> Stack:
    name = os.environ.get("DEV_STACK_NAME")
    assert name, "journeys need a stack: ./dev test tests/journeys/..."
    loaded = Stack(name).load()
    assert loaded.env(), f"the stack {name} does not run: ./dev stack up --name {name}"
    return loaded


@pytest.fixture(scope="session")
def preset() -> str:
    return os.environ.get("DEV_STACK_PRESET", "dev")


@pytest.fixture(scope="session")
def _server(stack, preset):
    one = Server(stack, preset)
    yield one
    one.stop()


@pytest.fixture
def server(_server) -> Server:
    """The one server with all roles, running and ready at the start of each test, whatever the one before did to it."""
    if not (_server.alive() and _server.ready()):
        _server.stop()
    _server.start()
    return _server


@pytest.fixture
def slipway(server):
    """Runs the CLI: slipway("status", "-o", "json") gives returncode, stdout, stderr."""
    return server.cli


@pytest.fixture
def bus(stack) -> Bus:
    one = Bus(stack.env()["KAFKA_BROKERS"])
    yield one
    one.close()


@pytest.fixture(scope="session")
def repository(stack):
    """The Repository's database, by an ordinary client."""
    client = pymongo.MongoClient(stack.env()["MONGODB_URI"], directConnection=True, tz_aware=True)
    yield client["slipway"]
    client.close()


@pytest.fixture(scope="session")
def local(stack):
    """The machine's own Engine."""
    return stack.api


@pytest.fixture(scope="session")
def containers(stack, local) -> Containers:
    return Containers(local, stack.instance)


HERE = "here"


@pytest.fixture
def here(server, bus, repository, stack, local) -> str:
    """The name of the machine whose Engine is the local one, registered, its agent at work."""
    if repository["machines"].find_one({"_id": HERE}) is None:
        reply = bus.ask("machine", {"action": "add", "machine": HERE, "docker": stack.docker_host})
        assert not reply.get("error"), reply
    return HERE


@pytest.fixture
def deploy(bus, repository, here):
    """deploy("moody", name, machine=..., env={...}) puts a test service into the Repository and asks for it on Kafka; returns the request's story."""

    def run(base: str, name: str, machine=here, files: dict | None = None, seconds: float = 120, request: dict | None = None, **meta) -> list[dict]:
        path = put_source(repository, f"{name}/{request_id()}", service(base, name, **meta) | (files or {}))
        wish = {"service_id": name, "path": path, **({"machine": machine} if machine else {}), **(request or {})}
        return bus.request(wish, seconds=seconds)

    return run


@pytest.fixture
def must_deploy(deploy):
    """deploy(), and it must succeed; returns the final status."""

    def run(*arguments, **options) -> dict:
        told = deploy(*arguments, **options)
        assert told[-1]["state"] in ("succeeded", "warning", "completed"), told[-1]
        return told[-1]

    return run


@pytest.fixture
def remove(bus):
    """remove(name): the service goes away, its containers too."""
    return lambda name: bus.request({"service_id": name, "action": "remove"})


@pytest.fixture
def counter(server, bus) -> str:
    """A simulated sensor that numbers its readings, 20 a second; its topic. It is removed after the test."""
    reply = bus.ask("sensor", {"action": "simulate", "sensor": {"sensor_id": "counter-1", "type": "counter", "location": "journeys/bench", "rate": "20/s"}})
    assert not reply.get("error"), reply
    yield "sensor.counter.counter-1"
    bus.ask("sensor", {"action": "remove", "sensor": {"sensor_id": "counter-1"}})


@pytest.fixture(scope="session")
def make_machine(stack):
    """make_machine("m2") is a further Docker Engine in a network namespace, with the base images; all are gone after the session."""

    def make(name: str, with_images: tuple[str, ...] = (images.MINIMAL, images.PYTHON), **options) -> engine.Engine:
        made = engine.create(stack, name, **options)
        for image in with_images:
            stack.api.copy_image_to(made.api, image)
        return made

    yield make
    engine.remove_all(stack)


@pytest.fixture(scope="session")
def lend_machine(make_machine, repository, stack, _server):
    """`with lend_machine() as engine:` is a second Engine that no machine is registered for. Afterwards Slipway forgets what was registered for it, and
    the next who asks gets the same one, empty but for its base images: making one takes half a minute."""

    @contextlib.contextmanager
    def lend():
        engine = make_machine("m2")
        yield engine
        bus = Bus(stack.env()["KAFKA_BROKERS"])
        try:
            for machine in [one["_id"] for one in repository["machines"].find({"docker": engine.endpoint})]:
                if not _server.alive():
                    _server.start()
                for lane in repository["lanes"].find({"machines": machine, "wanted": {"$ne": "removed"}}):
                    bus.request({"service_id": lane["_id"], "action": "remove"})
                assert not bus.ask("machine", {"action": "remove", "machine": machine}).get("error")
            wait_until("its agent is gone", lambda: not Containers(engine.api, stack.instance).of(running=False), 30)
        finally:
            bus.close()
            for left in engine.api.containers():
                engine.api.remove_container(left["Id"])

    return lend

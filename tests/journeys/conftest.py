"""Fixtures over the stack that `./dev test` made. To work on journeys: ./dev stack up --name mine, then
DEV_STACK_NAME=mine DEV_STACK_PRESET=dev .slipway-dev/tools/journeys-*/bin/python -m pytest tests/journeys/test_x.py (from the root, PYTHONPATH=.)."""
import os
import sys
from pathlib import Path

import pymongo
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kit import Bus  # noqa: E402

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
def make_machine(stack):
    """make_machine("m2") is a further Docker Engine in a network namespace, with the base images; all are gone after the session."""

    def make(name: str, with_images: tuple[str, ...] = (images.MINIMAL, images.PYTHON)) -> engine.Engine:
        made = engine.create(stack, name)
        for image in with_images:
            stack.api.copy_image_to(made.api, image)
        return made

    yield make
    engine.remove_all(stack)

"""A named stack of this clone: broker, Repository server, Engine, bridge, base images. `dev` belongs to ./dev up, `test` and `bench` stand beside it."""
import contextlib
import fcntl
import json
import os
import threading
from pathlib import Path

from . import engine, images, kafka, network, packages, process, repository
from .base import Failed, STATE, Steps, clone_id, run
from .docker_api import Api

VARIABLES = ("KAFKA_BROKERS", "MONGODB_URI", "DOCKER_HOST", "SLIPWAY_URL")
STEPS = ["packages", "Docker Engine", "network bridge", "Kafka", "Repository server", "base images"]


def read_env(path: Path) -> dict[str, str]:
    if not path.exists():
        return {}
    pairs = (line.removeprefix("export ").partition("=") for line in path.read_text().splitlines() if line.startswith("export "))
    return {key: value.strip("'") for key, _, value in pairs}


class Stack:
    """Use it as `with Stack("dev") as stack:`; that holds the stack's lock and stores its state file on the way out."""

    def __init__(self, name: str = "dev"):
        self.name = name
        self.folder = STATE / name
        self.instance = f"{name}-{clone_id()}"
        self.file = self.folder / "stack.json"
        self.record: dict = {}
        self._lock = None
        self._saving = threading.Lock()  # tests start servers side by side

    # State

    def __enter__(self) -> "Stack":
        self.folder.mkdir(parents=True, exist_ok=True)
        self._lock = open(self.folder / "lock", "w")
        fcntl.flock(self._lock, fcntl.LOCK_EX)
        return self.load()

    def __exit__(self, *_) -> None:
        if self.folder.exists():
            self.save()
        self._lock.close()

    def load(self) -> "Stack":
        self.record = json.loads(self.file.read_text()) if self.file.exists() else {}
        return self

    def save(self) -> None:
        with self._saving:
            partial = self.file.with_suffix(".new")
            partial.write_text(json.dumps(self.record, indent=1))
            partial.replace(self.file)

    @contextlib.contextmanager
    def locked(self, what: str):
        self.folder.mkdir(parents=True, exist_ok=True)
        with open(self.folder / f"{what}.lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def part(self, name: str) -> dict:
        return self.record.setdefault(name, {})

    # Parts

    def given(self, variable: str) -> str | None:
        """What the user points us to. Values that this clone's own stacks printed do not count."""
        value = os.environ.get(variable)
        own = {read_env(path).get(variable) for path in STATE.glob("*/env")}
        return value if value and value not in own else None

    def bridge(self) -> network.Bridge:
        bridge = network.ensure(self.instance, self.record.get("bridge"))
        if self.record.get("bridge") != bridge.number:
            self.record["bridge"] = bridge.number
            self.save()
        return bridge

    @property
    def kafka(self) -> kafka.Kafka:
        return kafka.Kafka(self.folder, network.Bridge(self.record["bridge"]).address, self.part("kafka"))

    @property
    def repository(self) -> repository.Repository:
        return repository.Repository(self.folder, self.part("repository"))

    @property
    def docker_host(self) -> str:
        return self.given("DOCKER_HOST") or engine.LOCAL

    @property
    def api(self) -> Api:
        return Api(self.docker_host)

    def env(self) -> dict[str, str]:
        """The variables of a stack that was started: what other programs need to find it."""
        return read_env(self.folder / "env")

    def write_env(self, more: dict[str, str] | None = None) -> dict[str, str]:
        values = {
            "KAFKA_BROKERS": self.given("KAFKA_BROKERS") or self.kafka.brokers,
            "MONGODB_URI": self.given("MONGODB_URI") or self.repository.uri,
            "DOCKER_HOST": self.docker_host,
            "DEV_STACK_INSTANCE": self.instance,
            "DEV_STACK_DIR": str(self.folder),
            "DEV_STACK_BASE_PYTHON": images.PYTHON,
            "DEV_STACK_BASE_MINIMAL": images.MINIMAL,
        }
        if "bridge" in self.record:
            bridge = network.Bridge(self.record["bridge"])
            values |= {"DEV_STACK_BRIDGE": bridge.name, "DEV_STACK_ADDRESS": bridge.address, "DEV_STACK_SUBNET": bridge.subnet}
        if not self.given("KAFKA_BROKERS"):
            values["DEV_STACK_LOCAL_BROKERS"] = self.kafka.local_brokers
        previous = self.env().get("SLIPWAY_URL")
        if previous:
            values["SLIPWAY_URL"] = previous
        values |= more or {}
        (self.folder / "env").write_text("".join(f"export {key}='{value}'\n" for key, value in values.items()))
        return values

    # Life

    def up(self, steps: Steps, groups: set[str], with_python_base: bool = True, between=None) -> dict[str, str]:
        """Starts what is missing, prints a line per step and returns env(). Safe to call again: what runs is left alone. `groups` of packages are
        installed first; `between` is called once the Engine answers: a user who may not open it must not wait for a build first."""
        if groups:
            with steps.step("packages") as note:
                count = packages.install(groups)
                note.text = f"{count} installed" if count else "all there"
        self._stop_orphans()
        with steps.step("Docker Engine") as note:
            note.text = self._up_engine()
        if between:
            between()
        with steps.step("network bridge") as note:
            note.text = self._up_bridge()
        with steps.step("Kafka") as note:
            note.text = self._up_kafka()
        with steps.step("Repository server") as note:
            note.text = self._up_repository()
        with steps.step("base images") as note:
            made = [images.MINIMAL] if images.ensure_minimal(self.api) else []
            if with_python_base and images.ensure(self.api, images.PYTHON):
                made.append(images.PYTHON)
            note.text = ", ".join(made) or "unchanged"
        self.save()
        return self.write_env()

    def _up_engine(self) -> str:
        if self.given("DOCKER_HOST"):
            if not self.api.answers():
                raise Failed(f"no Docker Engine answers at DOCKER_HOST={self.docker_host}", "mend the variable, or unset it: ./dev then uses or starts the local one", 5)
            return f"yours, {self.docker_host}"
        started = engine.ensure_local(self.folder)
        if started:
            self.record["dockerd"] = started.to_json()
            self.save()
        engine.check_access()
        version = self.api.call("GET", "/version")
        return f"{version['Version']} (API {version['ApiVersion']}), {'started' if started else 'runs'}"

    def _up_bridge(self) -> str:
        if self.given("KAFKA_BROKERS"):
            return "not needed: the broker is yours"
        bridge = self.bridge()
        return f"{bridge.name}, this machine is {bridge.address} there"

    def _up_kafka(self) -> str:
        if self.given("KAFKA_BROKERS"):
            self.record.pop("kafka", None)
            return f"yours, {os.environ['KAFKA_BROKERS']}"
        kafka.install()
        broker = self.kafka
        started = broker.start()
        self.save()
        return f"{kafka.VERSION} at {broker.brokers} and {broker.local_brokers}, {'started' if started else 'runs'}"

    def _up_repository(self) -> str:
        if self.given("MONGODB_URI"):
            self.record.pop("repository", None)
            return "yours, MONGODB_URI"
        repository.install()
        server = self.repository
        started = server.start()
        self.save()
        kind = "mongod" if repository.mongod() else "SecantusDB (beta, for development only)"
        return f"{kind} at port {server.record['port']}, {'started' if started else 'runs'}"

    def _stop_orphans(self) -> None:
        """Processes of an earlier run whose record was lost (.slipway-dev removed while they ran)."""
        known = {(part.get("process") or {}).get("pid") for part in self.record.values() if isinstance(part, dict)}
        for program in ("kafka.Kafka", "secantusd-py", "mongod", "slipway"):
            for left in process.with_argument(f"{self.folder}/", program):
                if left.pid not in known:
                    left.stop()

    def down(self) -> list[str]:
        """Stops what up() started and what came of it, newest first; data stays. Returns what was done, for people."""
        done = []
        self.load()
        for name, part in self.record.items():
            server = process.Process.from_json(part.get("process")) if name.startswith("server") else None
            if server and server.alive():
                server.stop(15)
                part.pop("process")
                done.append(f"{name} stopped")
        if self.api.answers():
            count = self.api.stop_all(self.instance)
            if count:
                done.append(f"{count} container(s) stopped")
        for machine in engine.list_all(self):
            machine.stop()
            done.append(f"Docker Engine {machine.name} stopped")
        if "kafka" in self.record and "bridge" in self.record and self.kafka.alive():
            self.kafka.stop()
            done.append("Kafka stopped")
        if self.repository.alive():
            self.repository.stop()
            done.append("Repository server stopped")
        self._stop_orphans()
        self.save()
        return done

    def stop_local_engine(self) -> str | None:
        """Stops dockerd if this stack started it and nobody else uses it."""
        own = process.Process.from_json(self.record.get("dockerd"))
        if not own or not own.alive():
            self.record.pop("dockerd", None)
            return None
        others = network.others(self.instance)
        foreign = [c for c in Api(engine.LOCAL).containers(running_only=True) if c["Labels"].get("slipway.instance") != self.instance]
        if others or foreign:
            users = ", ".join(others + [c["Names"][0].lstrip("/") for c in foreign])
            return f"Docker Engine left running: used by {users}"
        own.stop(30)
        self.record.pop("dockerd", None)
        return "Docker Engine stopped"

    def purge(self) -> list[str]:
        """down(), and takes away data, containers, volumes, namespaces and bridge of this stack, also of an earlier run of it."""
        done = self.down()
        count = engine.remove_all(self)
        if count:
            done.append(f"{count} further Docker Engine(s) removed")
        api = self.api
        if api.answers():
            count = api.purge(self.instance)
            if count:
                done.append(f"{count} container(s) removed")
        for bridge in network.owned(self.instance):
            network.remove(bridge)
            done.append(f"bridge {bridge.name} removed")
        last = self.stop_local_engine()
        if last:
            done.append(last)
        keep = {"dockerd": self.record["dockerd"]} if "dockerd" in self.record else {}
        engine.unmount_below([self.folder])
        for entry in self.folder.iterdir():
            if entry.name != "lock":
                run(["rm", "-rf", entry], root=True)
        self.record = keep
        return done

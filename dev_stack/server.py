"""`slipway serve` against a stack: its settings file, starting it detached, and the faults that journeys want to see."""
import hashlib
import http.client
import json
import os
import subprocess
from pathlib import Path

from . import build, images, ports, process
from .base import ROOT, machine_lock, wait_for

CA_BUNDLE = Path("/etc/ssl/certs/ca-certificates.crt")


def _yaml(value, indent: int = 0) -> str:
    lines = []
    for key, entry in value.items():
        if isinstance(entry, dict):
            lines.append(f"{' ' * indent}{key}:\n{_yaml(entry, indent + 2)}")
        else:
            lines.append(f"{' ' * indent}{key}: {json.dumps(entry)}\n")
    return "".join(lines)


class Server:
    """One server process of a stack. Several stand side by side under different names; `settings` adds to or overrides the written ones."""

    def __init__(self, stack, preset: str = "dev", name: str = "server", roles: str = "all", settings: dict | None = None):
        self.stack = stack
        self.preset = preset
        self.name = name
        self.roles = roles
        self.settings = settings or {}
        self.folder = stack.folder / name
        self.log = stack.folder / "logs" / f"{name}.log"
        self.config = self.folder / "slipway.yaml"
        self.record = stack.part(name)

    @property
    def process(self) -> process.Process | None:
        return process.Process.from_json(self.record.get("process"))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.record['port']}"

    def alive(self) -> bool:
        return self.process is not None and self.process.alive()

    def write_config(self) -> None:
        """What is not named here keeps the server's defaults."""
        env = self.stack.env()
        config = {
            "instance": self.stack.instance,
            "state_dir": str(self.folder / "state"),
            "kafka": {"brokers": env["KAFKA_BROKERS"], "machine_brokers": env["KAFKA_BROKERS"]},
            "mongodb": {"uri": env["MONGODB_URI"], "database": "slipway"},
            "http": {"bind": f"127.0.0.1:{self.record['port']}"},
            "credentials": {"dir": str(self.folder / "credentials")},
            "machines": {
                "insecure_networks": [env["DEV_STACK_SUBNET"]] if "DEV_STACK_SUBNET" in env else [],
                "unix_sockets": [env["DOCKER_HOST"].removeprefix("unix://")] if env["DOCKER_HOST"].startswith("unix://") else [],
            },
            "repository": {"allowed_roots": [str(ROOT / "examples")]},
            "agent": {"images_dir": str(build.folder(self.preset) / "images")},
            "runtimes": {
                "python": {"image": images.PYTHON, "versions": ["3.11"]},
                "node": {"image": images.NODE, "build_image": images.NODE_BUILD, "versions": ["18"]},
                "cpp": {"image": images.CPP, "build_image": images.CPP_BUILD},
                "binary": {"image": images.CPP},
            },
            "secrets": {"key_file": str(self._key_file())},
            "build": {"ca_bundle": str(CA_BUNDLE) if CA_BUNDLE.exists() else ""},
        }
        for key, value in self.settings.items():
            config[key] = {**config.get(key, {}), **value} if isinstance(value, dict) else value
        for path in (self.folder / "state", self.folder / "credentials"):
            path.mkdir(parents=True, exist_ok=True)
        self.config.write_text(_yaml(config))

    def _key_file(self) -> Path:
        """One for all servers of the stack: each opens what another sealed."""
        path = self.stack.folder / "secrets.key"
        if not path.exists():
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(os.urandom(32))
        return path

    def _fingerprint(self) -> str:
        binary = build.binary("slipway", self.preset)
        return hashlib.sha256(self.config.read_bytes() + binary.read_bytes() + self.roles.encode()).hexdigest()[:16]

    def start(self, env: dict | None = None, seconds: float = 60, failpoints: str = "") -> bool:
        """Starts the server and waits until it is ready; false if the same program with the same settings runs already. With `failpoints` it is not
        waited for: it may end before it is ready. It writes what it hits to `hits`."""
        with machine_lock("ports"):
            return self._start(env, seconds, failpoints)

    @property
    def hits(self) -> Path:
        return self.folder / "failpoints.hits"

    def _start(self, env: dict | None, seconds: float, failpoints: str) -> bool:
        if "port" not in self.record or (not self.alive() and not ports.is_free("127.0.0.1", self.record["port"])):
            others = {part["port"] for part in self.stack.record.values() if isinstance(part, dict) and "port" in part}  # perhaps not bound yet
            self.record["port"] = ports.choose("127.0.0.1", 7420, others)
        self.write_config()
        fingerprint = self._fingerprint()
        if self.alive():
            if self.record.get("fingerprint") == fingerprint and self.ready():
                return False
            self.stop()
        command = [build.binary("slipway", self.preset), "serve", "--roles", self.roles, "--config", self.config]
        if failpoints:
            command.append("--enable-failpoints")
            env = {**(env or {}), "SLIPWAY_FAILPOINTS": failpoints, "SLIPWAY_FAILPOINTS_HITS": str(self.hits)}
        started = process.start(command, self.log, env=env, cwd=self.folder)
        self.record.update(process=started.to_json(), fingerprint="" if failpoints else fingerprint)
        self.stack.save()
        if failpoints:  # nobody else may choose its port before it listens
            wait_for("the server's port", lambda: not started.alive() or started.stopped() or ports.answers("127.0.0.1", self.record["port"]), seconds, log=self.log, every=0.05)
            return True
        wait_for("the server", self.ready, seconds, alive=started.alive, log=self.log, every=0.05)
        return True

    def ready(self) -> bool:
        try:
            connection = http.client.HTTPConnection("127.0.0.1", self.record["port"], timeout=5)
            connection.request("GET", "/readyz")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False

    def stop(self) -> None:
        if self.process:
            self.process.stop(15)
            self.record.pop("process", None)
            self.stack.save()

    def kill(self) -> None:
        """kill -9."""
        if self.process:
            self.process.kill()

    def restart(self, env: dict | None = None) -> None:
        self.stop()
        self.start(env)

    def cli(self, *arguments: str, timeout: float = 600, env: dict | None = None, cwd: Path = ROOT) -> subprocess.CompletedProcess:
        """Runs the CLI against this server; stdout, stderr and the exit code are the caller's to judge."""
        environment = {**os.environ, **self.stack.env(), "SLIPWAY_URL": self.url, **(env or {})}
        return subprocess.run([str(build.binary("slipway", self.preset)), *map(str, arguments)], capture_output=True, text=True, timeout=timeout,
                              env=environment, cwd=cwd, stdin=subprocess.DEVNULL)

"""The Repository's server: mongod if it is on the PATH, else SecantusDB (MongoDB's protocol over WiredTiger) in an own virtual environment."""
import fcntl
import hashlib
import shutil
import sys
from pathlib import Path

from . import ports, process
from .base import TOOLS, machine_lock, run, wait_for

REQUIREMENTS = Path(__file__).with_name("requirements.txt")


def mongod() -> str | None:
    return shutil.which("mongod")


def virtual_environment(name: str, requirements: Path) -> tuple[Path, bool]:
    """A venv below .slipway-dev/tools with exactly these requirements; second value: whether it had to be made."""
    key = hashlib.sha256(requirements.read_bytes() + sys.version.encode()).hexdigest()[:12]
    folder = TOOLS / f"{name}-{key}"
    TOOLS.mkdir(parents=True, exist_ok=True)
    with open(TOOLS / f"{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (folder / "complete").exists():
            return folder, False
        for old in TOOLS.glob(f"{name}-*"):
            if old.is_dir():
                shutil.rmtree(old)
        run([sys.executable, "-m", "venv", folder])
        run([folder / "bin" / "pip", "install", "-q", "--disable-pip-version-check", "-r", requirements], log=TOOLS / f"{name}-pip.log",
            hint="pip must reach its index; behind a proxy set PIP_INDEX_URL or PIP_CERT")
        (folder / "complete").touch()
        return folder, True


def install() -> bool:
    return False if mongod() else virtual_environment("secantusdb", REQUIREMENTS)[1]


class Repository:
    """One server on loopback. `record` as in Kafka. With `auth` it lets nobody in but the users that were made while it ran without."""

    def __init__(self, folder: Path, record: dict, auth: bool = False):
        self.auth = auth
        self.data = folder / "repository"
        self.log = folder / "logs" / "repository.log"
        self.record = record

    @property
    def uri(self) -> str:
        return f"mongodb://127.0.0.1:{self.record['port']}"

    @property
    def process(self) -> process.Process | None:
        return process.Process.from_json(self.record.get("process"))

    def alive(self) -> bool:
        return self.process is not None and self.process.alive()

    def start(self, preferred: int = 27017) -> bool:
        """Starts the server on its data and waits until it takes connections; false if it ran already."""
        if self.alive():
            return False
        with machine_lock("ports"):
            self._start(preferred)
        return True

    def _start(self, preferred: int) -> None:
        port = ports.choose("127.0.0.1", self.record.get("port", preferred))
        self.record["port"] = port
        self.data.mkdir(parents=True, exist_ok=True)
        if mongod():
            command = [mongod(), "--bind_ip", "127.0.0.1", "--port", port, "--dbpath", self.data]
        else:
            venv, _ = virtual_environment("secantusdb", REQUIREMENTS)
            command = [venv / "bin" / "secantusd-py", "--host", "127.0.0.1", "--port", port, "--storage-path", self.data, "--sync-on-commit",
                       "--cache-size", "512M", "--log-level", "WARNING"]
        if self.auth:
            command.append("--auth")
        started = process.start(command, self.log, cwd=self.data)
        self.record["process"] = started.to_json()
        wait_for("the MongoDB-wire server", lambda: ports.answers("127.0.0.1", port), 60, alive=started.alive, log=self.log)

    def stop(self) -> None:
        if self.process:
            self.process.stop(20)
            self.record.pop("process", None)

    def kill(self) -> None:
        if self.process:
            self.process.kill()

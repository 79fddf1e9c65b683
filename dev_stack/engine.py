"""Docker Engines: the machine's own, and further ones, each in a network namespace on the bridge with everything of its own."""
import json
import os
from dataclasses import dataclass, field
from pathlib import Path

from . import process
from .base import Failed, machine_lock, run, wait_for
from .docker_api import Api, EngineError
from .network import Bridge

LOCAL = "unix:///var/run/docker.sock"
RUN = Path("/run/slipway-dev")


# --- the machine's own Engine -----------------------------------------------------------------------------------------------------------

def ensure_local(folder: Path) -> process.Process | None:
    """Starts dockerd where no Engine answers; returns its process if this call started it."""
    if Api(LOCAL).answers():
        return None
    socket = Path(LOCAL.removeprefix("unix://"))
    started = None
    with machine_lock("engine"):
        if not _listening(socket):
            if Path("/run/systemd/system").exists():
                run(["systemctl", "start", "docker"], root=True, hint="journalctl -u docker tells why")
            else:
                log = folder / "logs" / "dockerd.log"
                started = process.start(["dockerd"], log, root=True)
                wait_for("dockerd", lambda: _listening(socket), 60, alive=started.alive, log=log)
    return started


def check_access() -> None:
    """Fails with the one command that mends it if this user may not open the Engine's socket."""
    if not Api(LOCAL).answers():
        user = os.environ.get("USER", "$USER")
        raise Failed(f"the Docker Engine runs, but {user} may not open {LOCAL.removeprefix('unix://')}",
                     f"run this once, then ./dev up again in a new login (or after `newgrp docker`): sudo usermod -aG docker {user}", 4)


def _listening(socket: Path) -> bool:
    if Api(f"unix://{socket}").answers():
        return True
    if os.access(socket, os.W_OK) or not socket.exists():
        return False
    return run(["curl", "-sf", "--unix-socket", socket, "http://localhost/_ping"], root=True, check=False).stdout == "OK"


# --- further Engines ----------------------------------------------------------------------------------------------------------------------

@dataclass
class Engine:
    """A machine of its own as far as Docker and the network can tell. Made by create(), found again by load()."""

    name: str
    instance: str
    bridge: int
    last: int
    folder: str
    processes: dict = field(default_factory=dict)

    @property
    def address(self) -> str:
        return Bridge(self.bridge).host(self.last)

    @property
    def endpoint(self) -> str:
        return f"tcp://{self.address}:2375"

    @property
    def api(self) -> Api:
        return Api(self.endpoint)

    @property
    def namespace(self) -> str:
        return f"slipway-{self.instance}-{self.name}"

    @property
    def cgroup_parent(self) -> str:
        return f"/{self.namespace}"

    @property
    def link(self) -> str:
        """The host's end of the cable; eth0 inside."""
        return f"sw{self.bridge}-{self.last}"

    @property
    def run_dir(self) -> Path:
        """Sockets live here, since a socket's path must be short."""
        return RUN / f"{self.instance}-{self.name}"

    @property
    def log(self) -> Path:
        return Path(self.folder) / "dockerd.log"

    @property
    def dockerd(self) -> process.Process | None:
        return process.Process.from_json(self.processes.get("dockerd"))

    @property
    def containerd(self) -> process.Process | None:
        return process.Process.from_json(self.processes.get("containerd"))

    # Faults

    def kill(self) -> None:
        """kill -9 of the Engine alone: its containers go on."""
        if self.dockerd:
            self.dockerd.kill()

    def kill_all(self) -> None:
        """kill -9 of the Engine, containerd and every container: the machine loses power."""
        for one in (self.dockerd, self.containerd):
            if one:
                one.kill()
        self._kill_rest()

    def freeze(self) -> None:
        if self.dockerd:
            self.dockerd.freeze()

    def thaw(self) -> None:
        if self.dockerd:
            self.dockerd.thaw()

    def cut(self) -> None:
        """Pulls the cable."""
        run(["ip", "link", "set", self.link, "down"], root=True)

    def mend(self) -> None:
        """Plugs it in again; the default route is lost with the link's going down only inside, so it is set again."""
        run(["ip", "link", "set", self.link, "up"], root=True)
        self._inside(["ip", "route", "replace", "default", "via", Bridge(self.bridge).address])

    def restart(self) -> None:
        """Starts the Engine (and containerd, if that was killed too) again on its data."""
        self.thaw()
        if self.dockerd:
            self.dockerd.stop(20)
        self._start()

    # Life

    def _inside(self, cmd: list, check: bool = True):
        return run(["nsenter", f"--net=/var/run/netns/{self.namespace}", *cmd], root=True, check=check)

    def _save(self) -> None:
        (Path(self.folder) / "engine.json").write_text(json.dumps(self.__dict__, indent=1))

    def _connect(self) -> None:
        """The namespace and its cable to the bridge."""
        if Path(f"/var/run/netns/{self.namespace}").exists():
            return
        run(["ip", "netns", "add", self.namespace], root=True)
        run(["ip", "link", "del", self.link], root=True, check=False)  # of an Engine that was killed with its stack
        run(["ip", "link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", self.namespace], root=True)
        run(["ip", "link", "set", self.link, "master", Bridge(self.bridge).name, "up"], root=True)
        self._inside(["ip", "link", "set", "lo", "up"])
        self._inside(["ip", "addr", "add", f"{self.address}/24", "dev", "eth0"])
        self._inside(["ip", "link", "set", "eth0", "up"])
        self._inside(["ip", "route", "add", "default", "via", Bridge(self.bridge).address])

    def _start(self) -> None:
        folder, runtime = Path(self.folder), self.run_dir
        run(["mkdir", "-p", runtime], root=True)
        socket = runtime / "containerd.sock"
        if not (self.containerd and self.containerd.alive()):
            config = folder / "containerd.toml"
            config.write_text(f'version = 2\nroot = "{folder}/containerd"\nstate = "{runtime}/containerd"\n'
                              f'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]\n[grpc]\n  address = "{socket}"\n')
            run(["rm", "-f", socket, f"{socket}.ttrpc"], root=True)
            started = process.start(["containerd", "--config", config], folder / "containerd.log", netns=self.namespace)
            self.processes["containerd"] = started.to_json()
            self._save()
            wait_for(f"containerd of {self.name}", socket.exists, 30, alive=started.alive, log=folder / "containerd.log")
        if self.dockerd and self.dockerd.alive():
            return
        (folder / "daemon.json").write_text("{}\n")  # the machine's own /etc/docker/daemon.json must not be read
        run(["rm", "-f", runtime / "docker.pid", runtime / "docker.sock"], root=True)
        started = process.start(
            ["dockerd", "--config-file", folder / "daemon.json", "--data-root", folder / "data", "--exec-root", runtime / "exec",
             "--pidfile", runtime / "docker.pid", "--host", f"unix://{runtime}/docker.sock", "--host", self.endpoint, "--tls=false",
             "--containerd", socket, "--exec-opt", "native.cgroupdriver=cgroupfs", "--cgroup-parent", self.cgroup_parent],
            self.log, netns=self.namespace)
        self.processes["dockerd"] = started.to_json()
        self._save()
        wait_for(f"the Engine {self.name}", self.api.answers, 60, alive=started.alive, log=self.log)

    def _cgroups(self) -> list[Path]:
        roots = [Path("/sys/fs/cgroup"), *(p for p in Path("/sys/fs/cgroup").glob("*") if p.is_dir())]
        return [root / self.namespace for root in roots if (root / self.namespace).is_dir()]

    def _kill_rest(self) -> None:
        """What outlives an Engine: its shims, known by the path of its socket, and the processes in its cgroup."""
        left = process.with_argument(str(self.run_dir))
        for group in self._cgroups():
            for procs in group.rglob("cgroup.procs"):
                left += [process.Process.of(int(pid)) for pid in procs.read_text().split()]
        for one in left:
            one.kill()

    def stop(self) -> None:
        """Shuts the machine down in order; create() or restart() start it again on its data."""
        self.thaw()
        for one in (self.dockerd, self.containerd):
            if one:
                one.stop(20)
        self._kill_rest()

    def remove(self) -> None:
        """Takes everything of this Engine away: containers, processes, mounts, namespace, data."""
        self.thaw()
        if self.dockerd and self.dockerd.alive():
            try:
                for container in self.api.containers():
                    self.api.remove_container(container["Id"])
            except (OSError, EngineError):
                pass  # it is cut off or broken: the rest below does it
        for one in (self.dockerd, self.containerd):
            if one:
                one.stop(10)
        self._kill_rest()
        unmount_below([Path(self.folder), self.run_dir])
        run(["ip", "link", "del", self.link], root=True, check=False)
        run(["ip", "netns", "del", self.namespace], root=True, check=False)
        run(["rm", "-rf", self.folder, self.run_dir], root=True)
        for group in self._cgroups():
            run(["find", group, "-depth", "-type", "d", "-exec", "rmdir", "{}", "+"], root=True, check=False)


def unmount_below(folders: list[Path]) -> None:
    """Mounts that a killed Engine left behind, innermost first; also namespace handles, which keep a namespace alive."""
    mounts = [line.split()[1] for line in Path("/proc/self/mounts").read_text().splitlines()]
    below = [m for m in mounts if any(m.startswith(f"{folder}/") for folder in folders)]
    for mount in sorted(below, key=len, reverse=True):
        run(["umount", "-l", mount], root=True, check=False)


def create(stack, name: str) -> Engine:
    """A new Engine on the stack's bridge, ready to be used at its endpoint; an existing one of that name is started if it does not run."""
    folder = stack.folder / "engines" / name
    with stack.locked("engines"):
        engine = load(stack, name)
        if engine is None:
            used = {e.last for e in list_all(stack)}
            last = next(n for n in range(2, 255) if n not in used)
            folder.mkdir(parents=True, exist_ok=True)
            engine = Engine(name, stack.instance, stack.bridge().number, last, str(folder))
            engine._save()
    if engine.bridge != stack.bridge().number:
        engine.remove()
        return create(stack, name)
    engine._connect()
    engine._start()
    return engine


def load(stack, name: str) -> Engine | None:
    path = stack.folder / "engines" / name / "engine.json"
    return Engine(**json.loads(path.read_text())) if path.exists() else None


def list_all(stack) -> list[Engine]:
    return [Engine(**json.loads(path.read_text())) for path in sorted(stack.folder.glob("engines/*/engine.json"))]


def remove_all(stack) -> int:
    """Every Engine of this stack, also those whose record was lost: their names are in the kernel."""
    engines = {engine.name: engine for engine in list_all(stack)}
    prefix = f"slipway-{stack.instance}-"
    for handle in Path("/var/run/netns").glob(f"{prefix}*"):
        name = handle.name.removeprefix(prefix)
        engines.setdefault(name, Engine(name, stack.instance, 0, 0, str(stack.folder / "engines" / name)))
    for engine in engines.values():
        engine.remove()
    return len(engines)

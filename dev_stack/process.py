"""Own processes: started detached, known by pid and start time, so that nothing else is ever signalled."""
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from .base import Failed, as_root


def _boot() -> str:
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _stat(pid: int) -> tuple[str, int] | None:
    """State letter and start time (ticks since boot) of a process, or None if there is none."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return None
    return fields[0], int(fields[19])


@dataclass(frozen=True)
class Process:
    pid: int
    started: int
    boot: str

    @staticmethod
    def of(pid: int) -> "Process":
        found = _stat(pid)
        return Process(pid, found[1] if found else -1, _boot())

    @staticmethod
    def from_json(data: dict | None) -> "Process | None":
        return Process(data["pid"], data["started"], data["boot"]) if data else None

    def to_json(self) -> dict:
        return {"pid": self.pid, "started": self.started, "boot": self.boot}

    def alive(self) -> bool:
        found = _stat(self.pid)
        return found is not None and found[0] not in "ZX" and found[1] == self.started and self.boot == _boot()

    def stopped(self) -> bool:
        """By SIGSTOP, whoever sent it."""
        found = _stat(self.pid)
        return found is not None and found[0] == "T" and self.alive()

    def signal(self, number: int) -> None:
        """Sends a signal if this very process still lives."""
        if not self.alive():
            return
        try:
            os.kill(self.pid, number)
        except ProcessLookupError:
            pass
        except PermissionError:
            subprocess.run(as_root(["kill", f"-{int(number)}", str(self.pid)]), check=False, stderr=subprocess.DEVNULL)

    def kill(self) -> None:
        """kill -9, and waits until it is gone."""
        self.signal(signal.SIGKILL)
        self._gone_within(10)

    def stop(self, seconds: float = 15) -> None:
        """SIGTERM, and SIGKILL if it is still there after that time."""
        self.signal(signal.SIGTERM)
        if not self._gone_within(seconds):
            self.kill()

    def freeze(self) -> None:
        self.signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self.signal(signal.SIGCONT)

    def _gone_within(self, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > deadline:
                return False
            time.sleep(0.02)
        return True


def start(cmd: list, log: Path, *, root: bool = False, env: dict | None = None, cwd: Path | None = None, netns: str | None = None) -> Process:
    """Starts a command in a session of its own with its output appended to `log`; it outlives the caller."""
    log.parent.mkdir(parents=True, exist_ok=True)
    log.touch()
    cmd = [str(part) for part in cmd]
    if netns:  # not `ip netns exec`: that hides the cgroup mounts
        cmd = ["nsenter", f"--net=/var/run/netns/{netns}", *cmd]
    shell = ["sh", "-c", 'log=$1; shift; setsid "$@" >>"$log" 2>&1 </dev/null & echo $!', "sh", str(log), *cmd]
    if root or netns:
        shell = as_root(shell)
    done = subprocess.run(shell, stdin=subprocess.DEVNULL, capture_output=True, text=True, cwd=cwd, env={**os.environ, **env} if env else None)
    if done.returncode != 0 or not done.stdout.strip().isdigit():
        raise Failed(f"could not start {cmd[0]}: {done.stderr.strip()}")
    return Process.of(int(done.stdout))


def with_argument(part: str, program: str = "") -> list[Process]:
    """Processes whose command line has an argument that begins with `part` (or has it after a '=' or '://'), and names `program`. For leftovers
    whose record was lost: own paths are the proof of ownership."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().decode(errors="replace").split("\0")
        except OSError:
            continue
        named = not program or any(program in argument for argument in arguments)
        if named and int(folder.name) != os.getpid() and any(argument.startswith(part) or f"={part}" in argument or f"//{part}" in argument for argument in arguments):
            found.append(Process.of(int(folder.name)))
    return found

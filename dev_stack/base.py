"""What every piece needs: paths, failures that say what to do, commands, and a line per step."""
import contextlib
import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STATE = ROOT / ".slipway-dev"
TOOLS = STATE / "tools"


class Failed(Exception):
    """A step that did not work: what failed, and a hint that says what to do about it."""

    def __init__(self, message: str, hint: str = "", code: int = 1):
        super().__init__(message)
        self.hint = hint
        self.code = code


def clone_id() -> str:
    """Six characters that tell this clone from others on the same machine."""
    return hashlib.sha256(str(ROOT).encode()).hexdigest()[:6]


@contextlib.contextmanager
def machine_lock(name: str):
    """Held by one clone of this machine at a time, whoever its user is."""
    path = f"/tmp/slipway-dev-{name}.lock"
    try:
        descriptor = os.open(path, os.O_RDONLY)  # without O_CREAT: in /tmp the kernel refuses that for another user's file
    except FileNotFoundError:
        descriptor = os.open(path, os.O_CREAT | os.O_RDONLY, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def as_root(cmd: list[str]) -> list[str]:
    if os.geteuid() == 0:
        return cmd
    if shutil.which("sudo") is None:
        raise Failed(f"root is needed for: {' '.join(cmd[:3])}", "run as root, or install sudo", 4)
    return ["sudo", *cmd]


def tail(path: Path, lines: int = 15) -> str:
    try:
        return "\n".join(path.read_text(errors="replace").splitlines()[-lines:])
    except OSError:
        return ""


def run(cmd, *, root: bool = False, log: Path | None = None, check: bool = True, env: dict | None = None, hint: str = "",
        cwd: Path = ROOT, text: str | None = None) -> subprocess.CompletedProcess:
    """Runs a command to its end. With `log` its output goes there and its last lines into the failure; else it is captured."""
    cmd = [str(part) for part in cmd]
    if root:
        cmd = as_root(cmd)
    full_env = {**os.environ, **env} if env else None
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
        with open(log, "ab") as out:
            done = subprocess.run(cmd, stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT, env=full_env, cwd=cwd)
        shown = tail(log)
    else:
        done = subprocess.run(cmd, input=text, stdin=None if text is not None else subprocess.DEVNULL, capture_output=True, text=True,
                              env=full_env, cwd=cwd, errors="replace")
        shown = (done.stderr or done.stdout).strip()
    if check and done.returncode != 0:
        raise Failed(f"`{' '.join(cmd)[:300]}` ended with {done.returncode}" + (f":\n{shown}" if shown else ""),
                     hint or (f"the whole output is in {log}" if log else ""))
    return done


def wait_for(what: str, ready, seconds: float, *, alive=lambda: True, log: Path | None = None, every: float = 0.1) -> None:
    """Waits until ready() is true. `alive` says if waiting still makes sense; `log` is shown when it does not."""
    deadline = time.monotonic() + seconds
    while not ready():
        died = not alive()
        if died or time.monotonic() > deadline:
            problem = "ended at once" if died else f"was not ready within {seconds:.0f} s"
            raise Failed(f"{what} {problem}" + (f"; its last lines:\n{tail(log)}" if log else ""), f"the whole log: {log}" if log else "")
        time.sleep(every)


class Steps:
    """Prints a line per step: number, what, how long it took. The names are known before, so that a reader sees what remains."""

    def __init__(self, names: list[str], out=None):
        self.names = names
        self.number = 0
        self.out = out or sys.stderr
        self.begun = time.monotonic()

    @contextlib.contextmanager
    def step(self, name: str):
        """The body may set `note.text` to what the line should tell beside the name."""
        self.number += 1
        note = Note()
        total = max(len(self.names), self.number)
        left = self.names[self.number:]
        head = f"[{self.number:2}/{total}] {name:<19}"
        live = self.out.isatty()
        clear = "\033[K" if live else ""
        if live:
            print(f"{head} ...", end="\r", file=self.out, flush=True)
        start = time.monotonic()
        try:
            yield note
        except BaseException:
            print(f"{head} FAILED after {time.monotonic() - start:.1f} s{clear}", file=self.out, flush=True)
            raise
        then = f"   then: {left[0]}" + (f" and {len(left) - 1} more" if len(left) > 1 else "") if left else ""
        print(f"{head} {note.text:<60} {time.monotonic() - start:6.1f} s{then}{clear}", file=self.out, flush=True)

    def total(self) -> float:
        return time.monotonic() - self.begun


class Note:
    text = ""

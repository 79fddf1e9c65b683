"""Building with CMake's presets; says how far it is and what remains."""
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from . import librdkafka
from .base import Failed, ROOT, STATE, run, tail

RUNNING_NEEDS = ["slipway", "slipway-agent", "agent_image"]
_PROGRESS = re.compile(r"^\[(\d+)/(\d+)\]")


def folder(preset: str) -> Path:
    return ROOT / "build" / preset


def binary(name: str, preset: str) -> Path:
    """A built program; fails with the way to it if it is not there."""
    for path in (folder(preset) / "bin" / name, folder(preset) / "apps" / name / name, folder(preset) / "apps" / name):
        if path.is_file() and os.access(path, os.X_OK):
            return path
    raise Failed(f"{name} is not built in {folder(preset)}", "./dev up builds it", 3)


def jobs() -> int:
    """One per core, but never more than memory bears: a heavy translation unit takes about 1.5 GB."""
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return max(1, min(os.cpu_count() or 1, int(gib / 1.5)))


def configure(preset: str, *definitions: str) -> None:
    run(["cmake", "--preset", preset, librdkafka.definition(), *definitions], log=STATE / "logs" / f"configure-{preset}.log")


_behind: set[subprocess.Popen] = set()


def _give_way(started: subprocess.Popen) -> None:
    """The kernel shares processor time between sessions first, where it groups by them; nice alone counts only within one."""
    _behind.add(started)
    with contextlib.suppress(OSError):
        Path(f"/proc/{started.pid}/autogroup").write_text("19")


def stop_behind() -> None:
    """Ends what is built behind something else: a session of its own does not hear the terminal's Ctrl-C."""
    for started in list(_behind):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(started.pid, signal.SIGTERM)


def build(preset: str, targets: list[str] | None = None, behind: bool = False) -> str:
    """Builds and returns what there was to do, for a step's note. Output is in .slipway-dev/logs; errors are shown. `behind` something else it says
    nothing meanwhile and takes only the processor time that is left over."""
    log = STATE / "logs" / f"build-{preset}.log"
    log.parent.mkdir(parents=True, exist_ok=True)
    command = [*(["nice", "-n", "19"] if behind else []), "cmake", "--build", folder(preset), "-j", str(jobs())] + (["--target", *targets] if targets else [])
    environment = {**os.environ, "NINJA_STATUS": "[%f/%t] "}
    begun = shown = time.monotonic()
    done = total = 0
    with open(log, "w") as out:
        ninja = subprocess.Popen(command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace",
                                 start_new_session=behind)
        if behind:
            _give_way(ninja)
        for line in ninja.stdout:
            out.write(line)
            found = _PROGRESS.match(line)
            if not found:
                continue
            done, total = int(found[1]), int(found[2])
            now = time.monotonic()
            if not behind and now - shown > (1 if sys.stderr.isatty() else 30):
                shown = now
                left = (now - begun) / max(done, 1) * (total - done)
                print(f"        built {done} of {total} files, about {left:.0f} s left\033[K" if sys.stderr.isatty() else
                      f"        built {done} of {total} files, about {left:.0f} s left", end="\r" if sys.stderr.isatty() else "\n", file=sys.stderr, flush=True)
        code = ninja.wait()
        _behind.discard(ninja)
    if code != 0:
        text = log.read_text(errors="replace")
        first = text.find("FAILED:")
        raise Failed(f"the build ({preset}) failed:\n{text[first:first + 3000] if first >= 0 else tail(log)}", f"the whole output: {log}", 6)
    return f"{preset}: {total} steps" if total else f"{preset}: nothing to do"

"""./dev bench [NAME]: Google Benchmark programs and end-to-end scripts of bench/, each closing with one line of JSON."""
import json
import os
import subprocess
from pathlib import Path

from . import build, packages, repository
from .base import ROOT, Failed, Steps
from .stack import STEPS, Stack


def available(preset: str) -> dict[str, Path]:
    programs = {path.name.removeprefix("bench_"): path for path in build.folder(preset).rglob("bench_*") if path.is_file() and os.access(path, os.X_OK)}
    scripts = {path.stem.removeprefix("bench_"): path for path in (ROOT / "bench").glob("bench_*.py")}
    return {**programs, **scripts}


def bench(name: str | None) -> int:
    steps = Steps(["packages", "build", *STEPS[1:]])
    with steps.step("packages") as note:
        note.text = f"{packages.install({'run', 'stack', 'test'})} installed"
    with steps.step("build") as note:
        build.configure("release", "-DSLIPWAY_BENCH=ON")
        note.text = build.build("release")
    found = available("release")
    chosen = [name] if name else sorted(found)
    if not found or (name and name not in found):
        raise Failed(f"no benchmark {name or 'at all'} in bench/", "there are: " + (", ".join(sorted(found)) or "none yet"), 3)
    return _with_stack([found[one] for one in chosen], steps)


def _with_stack(paths: list[Path], steps: Steps) -> int:
    """On real components of their own: scripts measure the whole of it, and some programs want a Repository."""
    with Stack("bench") as stack:
        stack.purge()
        try:
            env = stack.up(steps, set())
            venv, _ = repository.virtual_environment("journeys", ROOT / "tests" / "requirements.txt")
            env = {**os.environ, **env, "PYTHONPATH": str(ROOT), "DEV_STACK_NAME": "bench", "DEV_STACK_PRESET": "release"}
            commands = [[venv / "bin" / "python", "-B", path] if path.suffix == ".py" else [path] for path in paths]
            failed = [command[-1].name for command in commands if not _measures(command, env)]
        finally:
            stack.load()
            stack.purge()
    if failed:
        raise Failed(f"failed, or left no line of JSON: {', '.join(failed)}", "what each said is above")
    return 0


def _measures(command: list[Path], env: dict[str, str]) -> bool:
    """Its table for people goes to stderr, its result is all that it says on stdout."""
    done = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    print(done.stdout, end="", flush=True)
    try:
        return done.returncode == 0 and isinstance(json.loads(done.stdout), dict) and done.stdout.count("\n") == 1
    except ValueError:
        return False

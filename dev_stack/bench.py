"""./dev bench [NAME]: Google Benchmark programs and end-to-end scripts of bench/, each closing with one line of JSON."""
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
    paths = [found[one] for one in chosen]
    alone = [path for path in paths if path.suffix != ".py"]
    code = max([subprocess.run([path], cwd=ROOT).returncode for path in alone], default=0)
    return max(code, _with_stack([path for path in paths if path.suffix == ".py"], steps))


def _with_stack(scripts: list[Path], steps: Steps) -> int:
    """Scripts measure the whole of it, on the real components."""
    if not scripts:
        return 0
    with Stack("bench") as stack:
        stack.purge()
        try:
            env = stack.up(steps, set())
            venv, _ = repository.virtual_environment("journeys", ROOT / "tests" / "requirements.txt")
            env = {**os.environ, **env, "PYTHONPATH": str(ROOT), "DEV_STACK_NAME": "bench", "DEV_STACK_PRESET": "release"}
            return max(subprocess.run([venv / "bin" / "python", "-B", script], cwd=ROOT, env=env).returncode for script in scripts)
        finally:
            stack.load()
            stack.purge()

"""./dev check and ./dev test: every test there is, on a stack of its own, closing with the counts."""
import concurrent.futures
import contextlib
import io
import shutil
import subprocess
import sys
from pathlib import Path

from . import build, images, packages, repository, suites
from .base import ROOT, Failed, Steps, run
from .stack import STEPS, Stack

PEERS = ["with_kafka", "with_repository", "with_docker"]
# Journeys that mostly wait (watch for minutes, kill and stop servers) run beside the others, each group on a stack of its own.
BESIDE = {
    "patient": ["samples_agree_with_proc", "no_reading_is_lost", "broker_faults", "repository_faults", "engine_faults", "life_cycle_manager_faults", "outages"],
    "faults": ["crash_points", "random_kills", "deployer_faults", "two_of_everything"],
}
BESIDE = {lane: [f"tests/journeys/test_{name}.py" for name in names] for lane, names in BESIDE.items()}


def sources() -> list[str]:
    listed = run(["git", "ls-files", "--cached", "--others", "--exclude-standard", "*.cpp", "*.hpp"]).stdout.split()
    return [name for name in listed if (ROOT / name).exists()]


def check_format() -> suites.Counts:
    counts = suites.Counts()
    done = subprocess.run(["clang-format-19", "--dry-run", "-Werror", *sources()], cwd=ROOT, capture_output=True, text=True)
    if done.returncode == 0:
        counts.passed += 1
    else:
        bad = sorted({line.split(":")[0] for line in done.stderr.splitlines() if "error:" in line})
        counts.fail("format: " + (", ".join(bad) or done.stderr[-500:]) + "   mend: clang-format-19 -i FILE")
    return counts


def check_tidy(all_of_them: bool) -> suites.Counts:
    """clang-tidy over the sources that differ from origin/main; all of them take longer than a push should."""
    counts = suites.Counts()
    names = {name for name in sources() if name.endswith(".cpp")}
    if not all_of_them:
        names &= set(run(["git", "diff", "--name-only", "origin/main"], check=False).stdout.split())

    def tidy(name: str) -> subprocess.CompletedProcess:
        return subprocess.run(["clang-tidy-19", "--quiet", "-p", build.folder("dev"), name], cwd=ROOT, capture_output=True, text=True)

    with concurrent.futures.ThreadPoolExecutor(build.jobs()) as pool:
        for name, done in zip(sorted(names), pool.map(tidy, sorted(names))):
            if done.returncode == 0:
                counts.passed += 1
            else:
                counts.fail(f"tidy: {name}\n{done.stdout[-1500:]}")
    return counts


def close(counts: suites.Counts) -> int:
    for problem in counts.problems:
        print(f"   failed: {problem}", file=sys.stderr)
    sys.stderr.flush()
    print(f"{counts.passed} passed, {counts.failed} failed", flush=True)
    return 1 if counts.failed or not counts.passed else 0


def check(thorough: bool) -> int:
    """What a change needs before it is pushed: format, warnings, clang-tidy, unit tests. No Kafka, no Engine. `thorough`: clang-tidy on all there is, and
    the unit tests under ThreadSanitizer."""
    steps = Steps(["packages", "format", "build", "tidy", "unit tests", *(["build tsan", "unit tests with tsan"] if thorough else [])])
    counts = suites.Counts()
    with steps.step("packages") as note:
        note.text = f"{packages.install({'run', 'stack', 'test'})} installed"
    with steps.step("format") as note:
        counts.add(check_format())
        note.text = f"{len(sources())} files"
    with steps.step("build") as note:
        build.configure("dev", "-DSLIPWAY_TESTS=ON")
        note.text = build.build("dev")
    with steps.step("tidy") as note:
        found = check_tidy(thorough)
        counts.add(found)
        note.text = f"{found.passed + found.failed} {'' if thorough else 'changed '}files"
    with steps.step("unit tests"):
        counts.add(suites.ctest("unit", "dev", "unit"))
    if thorough:
        with steps.step("build tsan") as note:
            build.configure("tsan", "-DSLIPWAY_TESTS=ON")
            note.text = build.build("tsan", ["unit_tests"])
        with steps.step("unit tests with tsan"):
            counts.add(suites.ctest("tsan-unit", "tsan", "unit", {"TSAN_OPTIONS": f"suppressions={ROOT / 'cmake' / 'tsan.supp'}"}))
    return close(counts)


def test(only: list[str], keep: bool) -> int:
    """Every test: journeys with the programs as they are, unit tests and port suites with the sanitizers of asan. `only` names what pytest shall run instead
    of all of it and leaves the other suites out."""
    names = ["packages", "format", "build dev", *STEPS[1:], "tools for journeys", "journeys", "build asan", "unit tests and port suites"]
    steps = Steps(names if not only else [name for name in names if name not in ("format", "build asan", "unit tests and port suites")])
    counts = suites.Counts()
    with steps.step("packages") as note:
        note.text = f"{packages.install({'run', 'stack', 'test'})} installed"
    if not only:
        with steps.step("format") as note:
            counts.add(check_format())
            note.text = f"{len(sources())} files"
    with steps.step("build dev") as note:
        build.configure("dev", "-DSLIPWAY_TESTS=ON")
        note.text = build.build("dev", build.RUNNING_NEEDS)
    with contextlib.ExitStack() as held:
        stack, *beside = [held.enter_context(Stack(name)) for name in ["test", *([] if only else BESIDE)]]
        for one in (stack, *beside):
            one.purge()  # what an earlier run that was killed may have left
        try:
            env = stack.up(steps, set())
            stack.save()
            with steps.step("tools for journeys") as note:
                venv, made = repository.virtual_environment("journeys", ROOT / "tests" / "requirements.txt")
                note.text = "installed" if made else "all there"
            with concurrent.futures.ThreadPoolExecutor(2) as pool:
                try:
                    if not only:
                        pool.submit(images.ensure_runtimes, stack.api, list(images.RUNTIMES))  # the journey that needs them waits, and tells what failed
                    built = None if only else pool.submit(_build_asan)  # journeys mostly wait: the time between is enough to build
                    with steps.step("journeys"):
                        others = ["tests", *(f"--ignore={path}" for paths in BESIDE.values() for path in paths)]
                        counts.add(_journeys(venv, {stack: only or others, **{one: BESIDE[one.name] for one in beside}}))
                    if built:
                        stack.load()
                        env = stack.up(Steps([], io.StringIO()), set())  # journeys may have left a component stopped
                        counts.add(_sanitized_suites(steps, env, built))
                finally:
                    build.stop_behind()
        finally:
            for one in (*beside, stack):  # the last may have started the Engine
                one.load()
                if not keep:
                    _keep_logs(one)
                    one.purge()
    print(f"   logs: {suites.RESULTS}   {steps.total():.0f} s in all", file=sys.stderr)
    return close(counts)


def _journeys(venv: Path, lanes: dict[Stack, list[str]]) -> suites.Counts:
    """Each stack's own journeys, side by side."""
    counts = suites.Counts()
    with concurrent.futures.ThreadPoolExecutor(len(lanes)) as pool:
        running = []
        for stack, paths in lanes.items():
            env = stack.up(Steps([], io.StringIO()), set())
            stack.save()
            name = "journeys" if stack.name == "test" else stack.name
            running.append(pool.submit(suites.pytest, name, venv, "tests", {**env, "DEV_STACK_NAME": stack.name, "DEV_STACK_PRESET": "dev"}, paths))
        for lane in running:
            counts.add(lane.result())
    return counts


def _build_asan() -> str:
    build.configure("asan", "-DSLIPWAY_TESTS=ON")
    return build.build("asan", ["unit_tests", "port_tests"], behind=True)


def _sanitized_suites(steps: Steps, env: dict[str, str], built: concurrent.futures.Future) -> suites.Counts:
    counts = suites.Counts()
    try:
        with steps.step("build asan") as note:
            note.text = built.result()
    except Failed as failure:
        counts.fail(f"build with asan: {failure}")
        return counts
    counts.add(suites.unreached("asan", {"unit", *PEERS}))
    with steps.step("unit tests and port suites"), concurrent.futures.ThreadPoolExecutor(2) as pool:  # both wait a lot
        units = pool.submit(suites.ctest, "unit", "asan", "unit")
        for label in PEERS:
            counts.add(suites.ctest(label, "asan", label, env, jobs=1))
        counts.add(units.result())
    return counts


def _keep_logs(stack: Stack) -> None:
    """The stack goes away; what its processes said stays with the results."""
    target = suites.RESULTS / "stack-logs" / stack.name
    shutil.rmtree(target, ignore_errors=True)
    if (stack.folder / "logs").exists():
        shutil.copytree(stack.folder / "logs", target)

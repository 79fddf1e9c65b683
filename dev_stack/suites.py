"""Running suites and counting: a suite that ran nothing, and a test that was skipped, are failures."""
import json
import os
import subprocess
import sys
import time
import xml.etree.ElementTree as ElementTree
from dataclasses import dataclass, field
from pathlib import Path

from .base import ROOT, STATE, tail

RESULTS = STATE / "results"


@dataclass
class Counts:
    passed: int = 0
    failed: int = 0
    problems: list[str] = field(default_factory=list)

    def add(self, other: "Counts") -> None:
        self.passed += other.passed
        self.failed += other.failed
        self.problems += other.problems

    def fail(self, problem: str) -> None:
        self.failed += 1
        self.problems.append(problem)


def read_junit(suite: str, path: Path) -> Counts:
    counts = Counts()
    if not path.exists():
        counts.fail(f"{suite}: left no results")
        return counts
    for case in ElementTree.parse(path).iter("testcase"):
        name = f"{suite}: {case.get('classname', '')}.{case.get('name', '')}"
        if case.find("skipped") is not None or case.get("status") in ("notrun", "disabled"):
            counts.fail(f"{name} was skipped")
        elif case.find("failure") is not None or case.find("error") is not None or case.get("status") == "fail":
            counts.fail(name)
        else:
            counts.passed += 1
    if counts.passed + counts.failed == 0:
        counts.fail(f"{suite}: ran no test")
    return counts


def _run(suite: str, command: list, env: dict[str, str], junit: Path, seconds: float) -> Counts:
    """Runs one suite with its output in a log, which is shown where something failed."""
    RESULTS.mkdir(parents=True, exist_ok=True)
    junit.unlink(missing_ok=True)
    log = RESULTS / f"{suite}.log"
    begun = time.monotonic()
    code = None
    with open(log, "wb") as out:
        try:
            code = subprocess.run([str(part) for part in command], cwd=ROOT, env={**os.environ, **env}, stdin=subprocess.DEVNULL, stdout=out,
                                  stderr=subprocess.STDOUT, timeout=seconds).returncode
        except subprocess.TimeoutExpired:
            pass
    counts = read_junit(suite, junit)
    if code is None:
        counts.fail(f"{suite}: was not done within {seconds:.0f} s")
    elif code != 0 and counts.failed == 0:
        counts.fail(f"{suite}: ended with {code}")
    if counts.failed:
        print(tail(log, 120), file=sys.stderr)
    print(f"   {suite:<24} {counts.passed} passed, {counts.failed} failed   {time.monotonic() - begun:.1f} s", file=sys.stderr, flush=True)
    return counts


def ctest(suite: str, preset: str, label: str, env: dict[str, str] | None = None, jobs: int = 2, seconds: float = 900) -> Counts:
    junit = RESULTS / f"{suite}.xml"
    command = ["ctest", "--test-dir", ROOT / "build" / preset, "-L", f"^{label}$", "--output-on-failure", "--no-tests=error", "-j", jobs,
               "--output-junit", junit]
    return _run(suite, command, env or {}, junit, seconds)


def unreached(preset: str, labels: set[str]) -> Counts:
    """Tests that none of the labels selects would never run: each is a failure."""
    counts = Counts()
    done = subprocess.run(["ctest", "--test-dir", str(ROOT / "build" / preset), "--show-only=json-v1"], capture_output=True, text=True, check=True)
    for test in json.loads(done.stdout)["tests"]:
        own = {label for entry in test.get("properties", []) if entry["name"] == "LABELS" for label in entry["value"]}
        if not own & labels:
            counts.fail(f"{test['name']} has none of the labels {sorted(labels)}, so nothing runs it")
    return counts


def pytest(suite: str, venv: Path, folder: str, env: dict[str, str], more: list[str] = (), seconds: float = 2700) -> Counts:
    junit = RESULTS / f"{suite}.xml"
    command = [venv / "bin" / "python", "-B", "-m", "pytest", "-p", "no:cacheprovider", "-q", "-ra", "--durations=15", "--timeout=420", f"--junit-xml={junit}", *(more or [folder])]
    return _run(suite, command, {"PYTHONPATH": str(ROOT), **env}, junit, seconds)

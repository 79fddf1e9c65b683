"""What the README tells people to type works, as it stands there."""
import re
import subprocess

import pytest
from kit import fresh, wait_until, write_folder

from dev_stack.__main__ import HELP
from dev_stack.base import ROOT
from dev_stack.up import SENSOR

TEXT = (ROOT / "README.md").read_text()
TOUR = [line.removeprefix("$ ") for block in re.findall(r"```console\n(.*?)```", TEXT, re.S) for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture
def example(slipway, here, containers):
    if "boiler-7" not in slipway("sensor", "ls").stdout:
        slipway(*SENSOR)
    done = slipway("deploy", ROOT / "examples" / "boiler-monitor", "--machine", here)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_tour(example, slipway, bus, stack, containers):
    assert len(TOUR) >= 8
    for line in TOUR:
        if line.startswith("./dev slipway "):
            done = slipway(*line.removeprefix("./dev slipway ").split())
            assert done.returncode == 0 and done.stdout + done.stderr, f"{line}: {done.returncode}\n{done.stdout}{done.stderr}"
        else:
            status = bus.watch("slipway.deployment.status")
            before = containers.one("boiler-monitor")["State"]["StartedAt"]
            subprocess.run(["sh", "-c", line], env={"PATH": "/usr/bin:/bin", "KAFKA_BROKERS": bus.brokers}, check=True, timeout=20)
            final = status.until("its end", lambda v: v["service_id"] == "boiler-monitor" and v["final"], 60)["value"]
            assert final["state"] in ("succeeded", "warning"), final
            assert containers.one("boiler-monitor")["State"]["StartedAt"] != before


def test_the_four_lines_are_enough(slipway, here, tmp_path, containers):
    meta = re.search(r"```yaml\n(name: hello\n.*?)```", TEXT, re.S)[1]
    assert len(meta.splitlines()) == 4
    name = fresh("hello")
    folder = write_folder(tmp_path, {"service.yaml": meta.replace("name: hello", f"name: {name}"), "main.py": "import http.server\nhttp.server.test(port=8080)\n"})
    done = slipway("deploy", folder, "--machine", here)
    assert done.returncode == 0, done.stdout + done.stderr
    assert wait_until("it runs", lambda: containers.of(name), 5)
    slipway("rm", name, "--yes")


@pytest.mark.parametrize("command", sorted(set(re.findall(r"`?\./dev ([a-z]+)", TEXT))))
def test_every_dev_command_it_names_exists(command):
    assert f"./dev {command}" in HELP

"""Services in Node and C++, and a plain program: built, healthy, fed; and what a folder is said to be when its service.yaml does not tell."""
import json
import shutil
from pathlib import Path

import pytest
from kit import folder_files, fresh, get, put_source, request_id, wait_until, write_folder

from dev_stack import images
from dev_stack.base import ROOT

EXAMPLES = ROOT / "examples"
BUSYBOX = Path("/bin/busybox")


@pytest.fixture(scope="module")
def bases(local):
    """bases("node") makes the base images of a runtime, unless ./dev test did so already."""
    return lambda *runtimes: images.ensure_runtimes(local, list(runtimes))


@pytest.fixture
def gone(slipway):
    names = []
    yield names.append
    for name in names:
        slipway("rm", name, "--yes")


def renamed(example: str, name: str) -> dict[str, bytes]:
    """The files of an example as a service of this test alone; short of patience."""
    files = folder_files(EXAMPLES / example)
    files["service.yaml"] = files["service.yaml"].replace(f"name: {example}".encode(), f"name: {name}".encode()) + b"update: {healthy_for: 200ms}\n"
    return files


def events(stderr: str) -> list[dict]:
    """--progress json: every line is one."""
    return [json.loads(line) for line in stderr.splitlines()]


def page(containers, name: str) -> dict:
    return json.loads(get(containers.address(containers.one(name)))[1])


def test_hello_node(bases, slipway, here, tmp_path, containers, gone):
    bases("node")
    name = fresh("hello")
    gone(name)
    done = slipway("deploy", write_folder(tmp_path, renamed("hello-node", name)), "--machine", here, "--progress", "json")
    assert done.returncode == 0, done.stdout + done.stderr
    said = page(containers, name)
    assert said["hello"] == name and said["release"] == 1 and said["machine"] == here and said["node"].startswith("v18.")
    container = containers.one(name)
    assert container["Config"]["User"].split(":")[0] == "65532" and container["HostConfig"]["ReadonlyRootfs"] is True
    told = events(done.stderr)
    stages = [one["data"]["stage"] for one in told if one["event"] == "status" and one["data"]["state"] == "succeeded"]
    assert stages[:4] == ["accepted", "fetched", "validated", "built"] and stages[-1] == "done"
    assert told[-1] == {"event": "end", "data": {"exit_code": 0}}


def test_npm_installs_what_package_json_names(bases, slipway, here, tmp_path, containers, gone):
    """One small package by a lock file without addresses: npm's own setting says where it comes from. `slipway init` says what the folder is."""
    bases("node")
    name = fresh("deps")
    gone(name)
    folder = write_folder(tmp_path / name, {
        "package.json": json.dumps({"name": "deps", "version": "1.0.0", "scripts": {"start": "node start.js"}, "engines": {"node": "18"}, "dependencies": {"escape-html": "1.0.3"}}),
        "package-lock.json": json.dumps({"name": "deps", "version": "1.0.0", "lockfileVersion": 3, "requires": True, "packages": {
            "": {"name": "deps", "version": "1.0.0", "dependencies": {"escape-html": "1.0.3"}, "engines": {"node": "18"}},
            "node_modules/escape-html": {"version": "1.0.3", "integrity": "sha512-NiSupZ4OeuGwr68lGIeym/ksIZMJodUGOSCZ/FSnTxcrekbvqrgdUxlJOMpijaKZVjAJrWrGs/6Jy8OMuyj9ow=="}}}),
        "start.js": "console.log(require('escape-html')('<well>')); setInterval(() => 0, 1000); process.on('SIGTERM', () => process.exit(0));\n"})
    made = slipway("init", folder)
    assert made.returncode == 0 and "node@18: package.json (start: node start.js" in made.stdout, made.stdout + made.stderr
    assert slipway("init", folder).returncode == 2, "never overwritten"
    done = slipway("deploy", folder, "--machine", here)
    assert done.returncode == 0, done.stdout + done.stderr
    wait_until("it speaks", lambda: "&lt;well&gt;" in slipway("logs", name).stdout, 10)
    shown = slipway("show", name, "--dockerfile").stdout
    assert f"FROM {images.NODE_BUILD} AS build" in shown and shown.rstrip().splitlines()[-1].startswith("COPY --from=build /app/node_modules")


@pytest.fixture
def office(bus):
    """The two sensors of room-comfort, simulated."""
    sensors = {"office-thermometer": ("thermometer", {"temperature": "Cel"}), "office-hygrometer": ("hygrometer", {"humidity": "%"})}
    for sensor, (kind, fields) in sensors.items():
        reply = bus.ask("sensor", {"action": "simulate", "sensor": {"sensor_id": sensor, "type": kind, "location": "plant-2/office", "rate": "10/s", "fields": fields}})
        assert not reply.get("error"), reply
    yield
    for sensor in sensors:
        bus.ask("sensor", {"action": "remove", "sensor": {"sensor_id": sensor}})


def test_room_comfort(bases, slipway, here, tmp_path, containers, bus, office, gone):
    """C++ by CMake, no command: CMakeLists.txt names the program. It joins two sensors and publishes what it makes of them."""
    bases("cpp")
    name = fresh("room")
    gone(name)
    done = slipway("deploy", write_folder(tmp_path, renamed("room-comfort", name)), "--machine", here)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "cpp: CMakeLists.txt (add_executable: room-comfort); it runs: /app/bin/room-comfort" in done.stderr
    said = wait_until("both sensors", lambda: (told := page(containers, name))["comfort"] and told, 30)
    assert said["temperature"] is not None and said["humidity"] is not None
    assert bus.watch("room-comfort").until("what it published", lambda value: value["comfort"], 20)["key"] == "office"
    image = containers.one(name)["Image"]
    files = containers.api.call("GET", f"/images/{image}/json")
    assert files["Size"] < 250 << 20, "the compiler stays in the build stage"


def test_a_binary(bases, slipway, here, tmp_path, containers, repository, bus, gone):
    """busybox as the user's program; the x bit is lost on the way into the Repository."""
    bases("binary")
    name = fresh("tool")
    gone(name)
    meta = f"name: {name}\ncommand: /app/busybox httpd -f -p 8080 -h /app/www\nports: [\"0:8080\"]\nupdate: {{healthy_for: 200ms}}\n"
    path = put_source(repository, f"{name}/{request_id()}", {"busybox": BUSYBOX.read_bytes(), "www/index.html": "at your service\n", "service.yaml": meta})
    told = bus.request({"service_id": name, "path": path, "machine": here}, seconds=60)
    assert told[-1]["state"] == "succeeded", told[-1]
    checked = next(status for status in told if status["stage"] == "validated" and status["state"] == "succeeded")
    assert "detected binary: busybox (a program for " in checked["message"]
    assert get(containers.address(containers.one(name)))[1] == b"at your service\n"

    strange = bytearray(BUSYBOX.read_bytes()[:4096])
    strange[18:20] = (243).to_bytes(2, "little")  # riscv64
    other = write_folder(tmp_path, {"busybox": bytes(strange), "service.yaml": meta})
    before = containers.one(name)["Id"]
    refused = slipway("deploy", other, "--machine", here)
    assert refused.returncode in (2, 10) and "meta.architecture" in refused.stderr and "riscv64" in refused.stderr, refused.stderr
    assert containers.one(name)["Id"] == before


def test_two_things_are_refused_with_the_evidence_of_both(slipway, tmp_path, repository, bus, here):
    name = fresh("both")
    files = {"service.yaml": f"name: {name}\n", "main.py": "print()\n", "package.json": json.dumps({"scripts": {"start": "node server.js"}})}
    done = slipway("deploy", write_folder(tmp_path, files), "--machine", here, "-o", "json")
    assert done.returncode == 2
    error = json.loads(done.stdout)["errors"][0]
    assert error["code"] == "meta.runtime_ambiguous" and error["where"] == "service.yaml:1:1"
    assert "package.json (start: node server.js)" in error["message"] and "python: main.py" in error["message"]
    final = bus.request({"service_id": name, "path": put_source(repository, f"{name}/1", files), "machine": here})[-1]
    assert final["state"] == "rejected" and final["error"]["code"] == "meta.runtime_ambiguous", "the server says the same"


def test_a_version_that_the_server_does_not_have(slipway, here, tmp_path):
    folder = tmp_path / "new"
    shutil.copytree(EXAMPLES / "hello-node", folder)
    meta = folder / "service.yaml"
    meta.write_text(meta.read_text().replace("node@18", "node@20").replace("name: hello-node", f"name: {fresh('new')}"))
    assert slipway("validate", folder).returncode == 0, "the CLI does not know the server's runtimes"
    done = slipway("deploy", folder, "--machine", here)
    assert done.returncode == 2 and "meta.runtime_unknown" in done.stderr and "node@18" in done.stderr, done.stderr

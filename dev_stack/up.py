"""./dev up: from a fresh clone to the example running on this machine, and what to try next."""
import json
import os
import subprocess
import sys
import time

from . import build, engine, images, kafka, network, packages, repository
from .base import ROOT, TOOLS, Failed, Steps
from .docker_api import Api
from .server import Server
from .stack import STEPS, Stack

EXAMPLE = ROOT / "examples" / "boiler-monitor"
MACHINE = "local"
SENSOR = ["sensor", "add", "boiler-7", "--type", "bme280", "--location", "plant-2/boiler-room", "--rate", "1/s",
          "--fields", "temperature=Cel,humidity=%,pressure=hPa", "--simulated"]


def plan(stack: Stack, with_packages: bool) -> list[str]:
    """What ./dev up would install or start that is not there; empty on a second run."""
    lines = []
    names = packages.missing({"run", "stack"}) if with_packages else []
    if names:
        lines.append(f"install {len(names)} Debian packages (apt, root): {' '.join(names)}")
    if not stack.given("KAFKA_BROKERS") and not (kafka.LIBS / "complete").exists():
        lines.append(f"fetch Kafka {kafka.VERSION} (Maven) into .slipway-dev/tools")
    if not stack.given("MONGODB_URI") and not repository.mongod() and not list(TOOLS.glob("secantusdb-*/complete")):
        lines.append("fetch SecantusDB (pip) into .slipway-dev/tools: a MongoDB-wire server, beta, for development only")
    if not stack.given("DOCKER_HOST") and not Api(engine.LOCAL).answers():
        lines.append("start a Docker Engine, if none runs (dockerd, root)")
    if not stack.given("KAFKA_BROKERS") and not network.owned(stack.instance):
        lines.append("make a network bridge slipway-N, 10.77.N.1/24, with forwarding for it (root)")
    if lines:
        lines.append(f"make the base image {images.PYTHON} of Debian packages (root), if it is missing")
        lines.append("build Slipway, start Kafka, the Repository's server and `slipway serve`, deploy examples/boiler-monitor")
    return lines


def agree(lines: list[str], yes: bool) -> None:
    if not lines:
        return
    print("./dev up will, on this machine:", file=sys.stderr)
    for line in lines:
        print(f"  - {line}", file=sys.stderr)
    print("Everything but packages lives in .slipway-dev/; ./dev down stops it, ./dev down --purge also removes it.", file=sys.stderr)
    if yes or os.environ.get("CI") == "true" or os.environ.get("SLIPWAY_DEV_AGREED") == "yes":
        return
    if not sys.stdin.isatty():
        raise Failed("nobody is there to be asked", "in scripts: ./dev up --yes", 2)
    print("Go on? [Y/n] ", end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in ("", "y", "yes"):
        raise Failed("nothing was changed", code=130)
    if os.geteuid() != 0:
        subprocess.run(["sudo", "-v"], check=False)


def up(yes: bool, with_packages: bool) -> int:
    if with_packages:
        packages.check_system()
    steps = Steps([*STEPS[:2], "build", *STEPS[2:], "server", "this machine", "sensor", "example", "all is well"])
    with Stack("dev") as stack:
        agree(plan(stack, with_packages), yes)
        stack.up(steps, {"run", "stack"} if with_packages else set(), between=lambda: _build(steps))
        server = Server(stack)
        with steps.step("server") as note:
            started = server.start()
            stack.write_env({"SLIPWAY_URL": server.url})
            note.text = f"{server.url}, {'started' if started else 'runs'}"
        with steps.step("this machine") as note:
            note.text = _ensure_machine(server)
        with steps.step("sensor") as note:
            note.text = _ensure_sensor(server)
        code = _deploy(server, steps)
        if code == 0:
            with steps.step("all is well") as note:
                missing = _wait_until_well(server)
                note.text = "healthy, reading, all systems up" if not missing else "not yet: " + missing
                code = 1 if missing else 0
        env = stack.env()
    sys.stderr.flush()
    subprocess.run([build.binary("slipway", "dev"), "status"], env={**os.environ, **env})
    if code == 0:
        print(next_steps(env, steps.total()))
    return code


def _build(steps: Steps) -> None:
    with steps.step("build") as note:
        build.configure("dev", "-DSLIPWAY_TESTS=OFF")
        note.text = build.build("dev", build.RUNNING_NEEDS)


def _cli(server: Server, *arguments: str) -> str:
    done = server.cli(*arguments)
    if done.returncode != 0:
        raise Failed(f"`slipway {' '.join(arguments)}` ended with {done.returncode}:\n{done.stderr.strip()}", f"the server's log: {server.log}", done.returncode)
    return done.stdout


def _ensure_machine(server: Server) -> str:
    if server.cli("machine", "show", MACHINE).returncode == 0:
        return f"{MACHINE}, registered"
    _cli(server, "machine", "add", MACHINE, server.stack.docker_host)
    return f"{MACHINE} at {server.stack.docker_host}, added"


def _ensure_sensor(server: Server) -> str:
    if SENSOR[2] in server.cli("sensor", "ls").stdout:
        return f"{SENSOR[2]}, registered"
    _cli(server, *SENSOR)
    return f"{SENSOR[2]}, simulated, added"


def _deploy(server: Server, steps: Steps) -> int:
    """The CLI shows its own progress; its exit code is ours."""
    steps.number += 1
    print(f"[{steps.number:2}/{len(steps.names)}] example", file=sys.stderr, flush=True)
    done = subprocess.run([build.binary("slipway", "dev"), "deploy", EXAMPLE, "--machine", MACHINE],
                          env={**os.environ, **server.stack.env()}, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    return done.returncode


def _not_well(server: Server) -> str:
    """What `slipway status` still misses, or nothing."""
    told = server.cli("status", "-o", "json", timeout=20)
    try:
        status = json.loads(told.stdout)
    except ValueError:
        return told.stderr.strip() or "no status"
    missing = [f"{one['name']} is {one['state']}" for one in status["systems"] if one["state"] != "up"]
    for service in status["services"]:
        if service["name"] == EXAMPLE.name:
            missing += [] if service["health"] == "healthy" else [f"{EXAMPLE.name} is {service['health']}"]
            missing += [f"its sensor {one['name']} is {one['state']}" for one in service["sensors"] if one["state"] != "reporting"]
    return ", ".join(missing) or ("" if status["ok"] else "slipway status names it")


def _wait_until_well(server: Server, seconds: float = 60) -> str:
    deadline = time.monotonic() + seconds
    while (missing := _not_well(server)) and time.monotonic() < deadline:
        time.sleep(0.5)
    return missing


def next_steps(env: dict[str, str], seconds: float) -> str:
    brokers = env["KAFKA_BROKERS"]
    return f"""
Slipway is up after {seconds:.0f} s: {env['SLIPWAY_URL']}, log {env['DEV_STACK_DIR']}/logs/server.log

Try next
  your own folder      ./dev slipway deploy PATH
                       PATH holds your code and a service.yaml; four lines are enough:
                       name: hello / runtime: python@3.11 / command: python3 main.py / ports: [8080]
  a failure on purpose cp -r examples/boiler-monitor /tmp/broken && echo 'raise SystemExit("no pressure")' > /tmp/broken/main.py
                       ./dev slipway deploy /tmp/broken; echo $?        (7: the release before it serves)
  what crosses Kafka   ./dev slipway messages -f
  without our CLI      echo '{{"service_id": "boiler-monitor", "action": "restart"}}' | kcat -P -b {brokers} -t slipway.deployment.requests
                       kcat -C -b {brokers} -t slipway.deployment.status -o -12 -e
  in your shell        eval "$(./dev env)"
  stop                 ./dev down            (--purge also removes data, containers and the bridge)"""


def down(purge: bool) -> int:
    with Stack("dev") as stack:
        done = stack.purge() if purge else [*stack.down(), stack.stop_local_engine()]
    for line in filter(None, done):
        print(line)
    if not any(done):
        print("nothing of this clone was running")
    return 0

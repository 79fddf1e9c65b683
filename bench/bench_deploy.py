"""How long a deployment takes to a person at the CLI: changed source, unchanged source, restart; beside it the docker client building and running the same."""
import json
import os
import shutil
import statistics
import subprocess
import tempfile
import time
from pathlib import Path

from dev_stack import images
from dev_stack.server import Server
from dev_stack.stack import Stack

ROUNDS = 7
META = "name: bench-hello\nruntime: python@3.11\ncommand: python3 main.py\nports: [\"0:8080\"]\nhealthcheck: {http: /, port: 8080}\nupdate: {healthy_for: 1s}\n"
CODE = "import http.server\nhttp.server.HTTPServer(('', 8080), http.server.SimpleHTTPRequestHandler).serve_forever()\n"


def timed(what, *arguments) -> float:
    begun = time.monotonic()
    done = what(*arguments)
    took = time.monotonic() - begun
    if done.returncode != 0:
        raise SystemExit(f"{arguments}: ended with {done.returncode}\n{done.stdout}{done.stderr}")
    return took * 1000


def median(values: list[float]) -> float:
    return round(statistics.median(values), 1)


def docker_client(folder: Path, name: str, number: int) -> float:
    """docker build + docker run of the same service, to its first answer."""
    (folder / "main.py").write_text(f"# {number}\n{CODE}")
    (folder / "Dockerfile").write_text(f"FROM {images.PYTHON}\nCOPY main.py /main.py\nCMD [\"python3\", \"/main.py\"]\n")
    script = (f"docker rm -f {name} >/dev/null 2>&1; docker build -q -t {name} . >/dev/null && docker run -d --init --name {name} -p 127.0.0.1:0:8080 {name} >/dev/null && "
              f"port=$(docker port {name} 8080 | head -1) && until curl -sf -o /dev/null http://$port/; do sleep 0.02; done")
    return timed(lambda: subprocess.run(["sh", "-c", script], cwd=folder, capture_output=True, text=True, timeout=120))


def main() -> None:
    stack = Stack(os.environ["DEV_STACK_NAME"]).load()
    server = Server(stack, os.environ["DEV_STACK_PRESET"])
    server.start()
    folder = Path(tempfile.mkdtemp(prefix="slipway-bench-"))
    plain_name = f"{stack.instance}-plain"
    try:
        timed(server.cli, "machine", "add", "local", stack.docker_host)
        (folder / "service.yaml").write_text(META)
        changed, unchanged, restarts, plain = [], [], [], []
        for number in range(ROUNDS + 1):
            (folder / "main.py").write_text(f"# {number}\n{CODE}")
            changed.append(timed(server.cli, "deploy", folder, "--machine", "local"))
            unchanged.append(timed(server.cli, "deploy", folder, "--machine", "local"))
            restarts.append(timed(server.cli, "restart", "bench-hello"))
        for number in range(ROUNDS + 1):
            plain.append(docker_client(folder, plain_name, number))
        print(json.dumps({"deploy": {"changed_ms": median(changed[1:]), "of_that_healthy_for_ms": 1000, "unchanged_ms": median(unchanged[1:]),
                                     "restart_ms": median(restarts[1:]), "docker_client_build_and_run_ms": median(plain[1:]), "rounds": ROUNDS}}))
    finally:
        subprocess.run(["docker", "rm", "-f", plain_name], capture_output=True)
        subprocess.run(["docker", "rmi", "-f", plain_name], capture_output=True)
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


main()

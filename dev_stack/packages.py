"""Debian packages: what is missing, and installing it."""
import os
import subprocess
from pathlib import Path

from .base import Failed, STATE, run

LIST = Path(__file__).with_name("packages.txt")
OS_RELEASE = Path("/etc/os-release")


def wanted(groups: set[str]) -> list[str]:
    lines = [line.split() for line in LIST.read_text().splitlines() if line and not line.startswith("#")]
    return [name for name, group in lines if group in groups]


def missing(groups: set[str]) -> list[str]:
    names = wanted(groups)
    done = subprocess.run(["dpkg-query", "-W", "-f=${Package} ${db:Status-Status}\n", *names], capture_output=True, text=True)
    there = {line.split()[0] for line in done.stdout.splitlines() if line.endswith(" installed")}
    return [name for name in names if name not in there]


def check_system() -> None:
    """Fails at once, with the ways out, where apt packages of Debian 12 cannot be installed."""
    facts = {}
    for line in OS_RELEASE.read_text().splitlines() if OS_RELEASE.exists() else []:
        key, _, value = line.partition("=")
        facts[key] = value.strip('"')
    if facts.get("ID") != "debian" or facts.get("VERSION_ID") != "12":
        raise Failed(
            f"./dev installs packages with apt and is made for Debian 12 (bookworm); this is {facts.get('PRETTY_NAME', 'an unknown system')}.",
            "use a Debian 12 virtual machine or privileged container; or install what dev_stack/packages.txt names by hand, start Kafka, MongoDB and a "
            "Docker Engine yourself, and run: KAFKA_BROKERS=... MONGODB_URI=... DOCKER_HOST=... ./dev up --no-packages", 2)


def install(groups: set[str]) -> int:
    """Installs what is missing of these groups; returns how many packages that were."""
    names = missing(groups)
    if not names:
        return 0
    check_system()
    log = STATE / "logs" / "apt.log"
    env = ["env", "DEBIAN_FRONTEND=noninteractive"]
    retry = "is the network there? try: apt-get update"
    run([*env, "apt-get", "update", "-q"], root=True, log=log, hint=retry)
    run([*env, "apt-get", "install", "-y", "-q", "--no-install-recommends", *names], root=True, log=log, hint=retry)
    os.sync()
    return len(names)

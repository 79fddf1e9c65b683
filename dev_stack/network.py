"""The bridge slipway-N with 10.77.N.1/24: the address at which the server, containers and namespace machines all reach the broker."""
import contextlib
import json
import os
import shlex
from dataclasses import dataclass
from pathlib import Path

from .base import Failed, run

NET = Path("/sys/class/net")


@dataclass(frozen=True)
class Bridge:
    number: int

    @property
    def name(self) -> str:
        return f"slipway-{self.number}"

    @property
    def address(self) -> str:
        return f"10.77.{self.number}.1"

    @property
    def subnet(self) -> str:
        return f"10.77.{self.number}.0/24"

    def host(self, last: int) -> str:
        return f"10.77.{self.number}.{last}"


def _owner(name: str) -> str:
    try:
        return (NET / name / "ifalias").read_text().strip()
    except OSError:
        return ""


def owned(instance: str) -> list[Bridge]:
    """The bridges that earlier runs of this instance made; the kernel itself remembers whose they are."""
    return [Bridge(int(p.name.split("-")[1])) for p in NET.glob("slipway-*") if _owner(p.name) == f"slipway-dev {instance}"]


def others(instance: str) -> list[str]:
    return [p.name for p in NET.glob("slipway-*") if _owner(p.name) != f"slipway-dev {instance}"]


def _outside_interfaces() -> list[str]:
    routes = json.loads(run(["ip", "-j", "route", "show", "default"]).stdout or "[]")
    return sorted({route["dev"] for route in routes if "dev" in route})


def _rules(bridge: Bridge) -> list[list[str]]:
    """Containers and machines on the bridge may go out; nobody from outside may come in: broker and Engines there have no passwords."""
    tag = ["-m", "comment", "--comment", bridge.name]
    rules = [
        ["-t", "nat", "POSTROUTING", "-s", bridge.subnet, "!", "-d", bridge.subnet, *tag, "-j", "MASQUERADE"],
        ["-t", "filter", "FORWARD", "-o", bridge.name, *tag, "-j", "DROP"],
        ["-t", "filter", "FORWARD", "-o", bridge.name, "-m", "conntrack", "--ctstate", "RELATED,ESTABLISHED", *tag, "-j", "ACCEPT"],
        ["-t", "filter", "FORWARD", "-i", bridge.name, *tag, "-j", "ACCEPT"],
    ]
    rules += [["-t", "filter", "INPUT", "-i", outside, "-d", bridge.subnet, *tag, "-j", "DROP"] for outside in _outside_interfaces()]
    return rules


def _iptables(action: str, rule: list[str], check: bool = True) -> bool:
    return run(["iptables", "-w", rule[0], rule[1], action, *rule[2:]], root=True, check=check).returncode == 0


@contextlib.contextmanager
def temporary(*rules: list[str]):
    """Rules of the filter table (chain first) for as long as this process wants them; if it is killed, the next stack that starts takes them away."""
    tagged = [["-t", "filter", *rule, "-m", "comment", "--comment", f"slipway-process-{os.getpid()}"] for rule in rules]
    try:
        for rule in tagged:
            _iptables("-I", rule)
        yield
    finally:
        for rule in tagged:
            _iptables("-D", rule, check=False)


def _remove_rules(whose) -> None:
    for table in ("nat", "filter"):
        for line in run(["iptables", "-w", "-t", table, "-S"], root=True, check=False).stdout.splitlines():
            words = shlex.split(line)
            if words[0] == "-A" and "--comment" in words and whose(words[words.index("--comment") + 1]):
                run(["iptables", "-w", "-t", table, "-D", *words[1:]], root=True, check=False)


def _orphaned(tag: str) -> bool:
    if tag.startswith("slipway-process-"):
        return not Path("/proc", tag.removeprefix("slipway-process-")).exists()
    return tag.startswith("slipway-") and not (NET / tag).exists()


def ensure(instance: str, preferred: int | None) -> Bridge:
    """Finds this instance's bridge or makes one under a free number; sets address, forwarding and rules."""
    _remove_rules(_orphaned)
    mine = owned(instance)
    bridge = mine[0] if mine else _make(instance, preferred)
    run(["ip", "addr", "replace", f"{bridge.address}/24", "dev", bridge.name], root=True)
    run(["ip", "link", "set", bridge.name, "up"], root=True)
    if Path("/proc/sys/net/ipv4/ip_forward").read_text().strip() != "1":
        run(["sysctl", "-q", "-w", "net.ipv4.ip_forward=1"], root=True)
    for rule in _rules(bridge):
        if not _iptables("-C", rule, check=False):
            _iptables("-I", rule)
    return bridge


def _make(instance: str, preferred: int | None) -> Bridge:
    used = run(["ip", "-4", "-o", "addr"]).stdout + run(["ip", "-4", "route"]).stdout
    numbers = [n for n in ([preferred] if preferred else []) + list(range(1, 255)) if f"10.77.{n}." not in used]
    for number in numbers:
        bridge = Bridge(number)
        made = run(["ip", "link", "add", bridge.name, "type", "bridge"], root=True, check=False)
        if made.returncode == 0:
            run(["ip", "link", "set", "dev", bridge.name, "alias", f"slipway-dev {instance}"], root=True)
            return bridge
        if "exists" not in made.stderr:
            raise Failed(f"could not make the bridge {bridge.name}: {made.stderr.strip()}", "the dev stack needs a network bridge; in a container run it privileged")
    raise Failed("no free network 10.77.N.0/24 is left", "bridges of clones that are gone: `ip link show type bridge`, remove with `ip link del slipway-N`")


def remove(bridge: Bridge) -> None:
    """Takes the bridge and every rule that names it away, also rules for interfaces that are no longer the way out."""
    _remove_rules(lambda tag: tag == bridge.name)
    run(["ip", "link", "del", bridge.name], root=True, check=False)

"""What the Repository says about a machine is what the machine says about itself: three whole minutes of steady load, from the columns and from the plain fields."""
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
import read_columns
from kit import fresh, wait_until

MINUTES = 3


def cpu_times() -> tuple[float, float]:
    """Busy and all jiffies since boot; waiting for a disk is not busy."""
    fields = [int(field) for field in Path("/proc/stat").read_text().split("\n")[0].split()[1:9]]
    idle = fields[3] + fields[4]
    return sum(fields) - idle, sum(fields)


def memory_used() -> float:
    facts = dict(line.split(":") for line in Path("/proc/meminfo").read_text().splitlines())
    total, available = (float(facts[name].split()[0]) for name in ("MemTotal", "MemAvailable"))
    return 100 * (total - available) / total


def container_seconds(container_id: str) -> float:
    """CPU seconds of a container so far: cgroup v1 in ns, v2 in us."""
    for root, pattern, name in (("/sys/fs/cgroup/cpuacct", f"**/{container_id}/cpuacct.usage", "v1"), ("/sys/fs/cgroup", f"**/*{container_id}*/cpu.stat", "v2")):
        for path in Path(root).glob(pattern):
            text = path.read_text()
            return int(text) / 1e9 if name == "v1" else int(text.split("usage_usec")[1].split()[0]) / 1e6
    raise AssertionError(f"no cgroup of {container_id}")


def mean(values) -> float:
    values = list(values)
    return sum(values) / len(values)


def test_three_minutes_of_steady_load(must_deploy, containers, repository, here, remove):
    name = fresh("burner")
    must_deploy("burner", name)
    container = containers.one(name)["Id"]
    begins = (int(time.time()) // 60 + 1) * 60
    edges, memory = [], [[] for _ in range(MINUTES)]
    for second in range(MINUTES * 60 + 1):
        wait_until("the next second", lambda: time.time() >= begins + second, 70, every=0.005)
        if second % 60 == 0:
            edges.append((cpu_times(), container_seconds(container), time.time()))
        if second < MINUTES * 60:
            memory[second // 60].append(memory_used())

    for minute in range(MINUTES):
        (busy0, all0), used0, at0 = edges[minute]
        (busy1, all1), used1, at1 = edges[minute + 1]
        cpu, own = 100 * (busy1 - busy0) / (all1 - all0), 100 * (used1 - used0) / (at1 - at0)
        key = {"minute": datetime.fromtimestamp(begins + minute * 60, timezone.utc), "machine": here}
        full = lambda collection, **more: wait_until(  # noqa: E731
            f"{collection} has the whole minute", lambda: (d := repository[collection].find_one(key | more)) and d["samples"] >= 59 and d, 30)
        plain, fine = full("samples_1m"), read_columns.read(full("samples_1s"))
        used = [100 * (1 - available / total) for available, total in zip(fine["mem.available"], fine["mem.total"])]
        assert plain["cpu"]["used"]["avg"] == pytest.approx(cpu, abs=2)
        assert mean(fine["cpu.used"]) == pytest.approx(cpu, abs=2)
        assert 100 * (1 - plain["mem"]["available"]["avg"] / plain["mem"]["total"]["avg"]) == pytest.approx(mean(memory[minute]), abs=2)
        assert mean(used) == pytest.approx(mean(memory[minute]), abs=2)
        plain_own, fine_own = full("container_samples_1m", container_id=container), read_columns.read(full("container_samples_1s", container_id=container))
        assert own > 10, "the load is there"
        assert plain_own["cpu"]["avg"] == pytest.approx(own, rel=0.02)
        assert mean(fine_own["cpu"]) == pytest.approx(own, rel=0.02)
        assert plain_own["service_id"] == name
        assert len(set(fine["t"])) == len(fine["t"]), "no second is there twice"
    remove(name)


def test_one_document_for_each_deployment(must_deploy, repository, bus, remove):
    name = fresh("storied")
    final = must_deploy("moody", name)
    document = repository["deployments"].find_one({"_id": final["request_id"]})
    assert repository["deployments"].count_documents({"service_id": name}) == 1
    assert document["end"] == "succeeded" and [stage["seq"] for stage in document["stages"]] == list(range(1, len(document["stages"]) + 1))
    assert document["stages"][-1]["final"] is True
    remove(name)

"""A second machine: watched from the moment it is registered, with its own containers and its own network's bytes, and its agent comes back."""
import json
import re
import time
from datetime import datetime, timezone
from pathlib import Path

import pytest
import read_columns
from kit import Containers, fresh, service, wait_until, write_folder

NAME = fresh("edge")


@pytest.fixture(scope="module")
def engine(lend_machine):
    with lend_machine() as made:
        yield made


@pytest.fixture
def there(stack, engine):
    return Containers(engine.api, stack.instance)


def net_between(repository, begins: float, ends: float) -> list[dict]:
    """What the agent said of eth0 in each second that ended within these, or nothing while the last is not stored yet."""
    rows = []
    for minute in repository["samples_1s"].find({"machine": NAME, "minute": {"$gte": date(begins // 60 * 60)}}):
        columns = read_columns.read(minute)
        assert {name.split(".")[1] for name in columns if name.startswith("net.")} == {"eth0"}, "its interface, not those of the machine beside it"
        rows += [{"t": t / 1000, "rx": rx, "tx": tx} for t, rx, tx in zip(columns["t"], columns["net.eth0.rx_bps"], columns["net.eth0.tx_bps"])]
    whole = any(row["t"] > ends for row in rows)
    return [row for row in rows if begins < row["t"] - 0.5 <= ends] if whole else []


def date(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, timezone.utc)


def test_samples_within_30_seconds_of_machine_add_without_any_service(server, slipway, repository, engine, there):
    begun = time.monotonic()
    added = slipway("machine", "add", NAME, engine.endpoint)
    assert added.returncode == 0, added.stdout + added.stderr
    wait_until("its samples are in the Repository", lambda: repository["samples_1s"].find_one({"machine": NAME}), 30)
    assert time.monotonic() - begun < 35
    agent = there.agent()
    assert agent is not None and agent["State"]["Running"]
    machines = json.loads(slipway("status", "-o", "json").stdout)["machines"]
    wait_until("it is up", lambda: {"name": NAME, "state": "up"}.items() <= next((m for m in json.loads(slipway("status", "-o", "json").stdout)["machines"] if m["name"] == NAME), {}).items(), 30)
    assert NAME in [m["name"] for m in machines]


def test_a_deployment_to_it_and_only_its_own_containers_and_bytes(server, slipway, repository, engine, there, containers, must_deploy, here, tmp_path):
    assert there.agent() is not None, "the test before registers the machine"
    mine, other = fresh("remote"), fresh("local")
    must_deploy("moody", other, machine=here)
    done = slipway("deploy", write_folder(tmp_path / "code", service("moody", mine)), "--machine", NAME)
    assert done.returncode == 0, done.stdout + done.stderr
    assert there.one(mine)["State"]["Running"] and containers.of(mine, running=False) == []
    foreign = engine.api.call("POST", "/containers/create", body={"Image": "slipway-base-minimal:1", "Cmd": ["sleep", "600"]})
    engine.api.call("POST", f"/containers/{foreign['Id']}/start")

    ours_there = {c["Id"] for c in there.of()}
    ours_here = {c["Id"] for c in containers.of()}
    assert len(ours_there) == 2 and len(ours_here) >= 2
    link = Path(f"/sys/class/net/{engine.link}/statistics")
    counters = lambda: (int((link / "tx_bytes").read_text()), int((link / "rx_bytes").read_text()))  # noqa: E731  what we send is what it receives
    begins, first = time.time(), counters()
    wait_until("bytes have crossed the cable", lambda: engine.api.call("GET", "/images/slipway-base-minimal:1/get") is None or time.time() >= begins + 30, 40, every=0.4)
    ends, last = time.time(), counters()
    seconds = wait_until("these seconds are stored", lambda: net_between(repository, begins, ends), 40)
    assert len(seconds) >= ends - begins - 2
    received, sent = (sum(second[way] for second in seconds) for way in ("rx", "tx"))
    assert received == pytest.approx(last[0] - first[0], rel=0.1, abs=20_000)
    assert sent == pytest.approx(last[1] - first[1], rel=0.1, abs=20_000)
    assert sent > 10_000_000, "enough crossed to mean something"

    def recorded(machine):
        return {one["container_id"]: one for one in repository["container_samples_1m"].find({"minute": date(ends // 60 * 60), "machine": machine})}

    theirs = wait_until("that minute of its containers is stored", lambda: ours_there <= (found := recorded(NAME)).keys() and len(found) > 2 and found, 30)
    known = {key for key in theirs if re.fullmatch("[0-9a-f]{64}", key)}
    assert known == ours_there, "exactly the running Slipway containers of its Engine, the agent among them"
    assert next(one for one in theirs.values() if one.get("service_id") == mine)["container_id"] == there.one(mine)["Id"]
    assert set(theirs) - known, "the others are there as one sum"
    assert len(set(theirs) - known) == 1
    mine_here = wait_until("and of the containers here", lambda: ours_here <= (found := recorded(here)).keys() and found, 30)
    here_known = {key for key in mine_here if re.fullmatch("[0-9a-f]{64}", key)}
    assert not known & here_known
    engine.api.remove_container(foreign["Id"])
    for one in (mine, other):
        assert slipway("rm", one, "--yes").returncode == 0


def test_an_agent_that_is_removed_is_back_within_30_seconds(server, repository, there, bus):
    before = there.agent()
    assert before is not None, "the test before registers the machine"
    there.api.remove_container(before["Id"])
    after = wait_until("another agent runs", there.agent, 30)
    assert after["Id"] != before["Id"]
    since = int(time.time() * 1000)
    stats = bus.watch("slipway.machine.stats")
    stats.until("it sends", lambda v: v["machine"] == NAME and v["t"] >= since - 1000, 30)

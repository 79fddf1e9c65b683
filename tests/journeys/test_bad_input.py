"""Whatever comes in: refused with code, place and hint, through the CLI with exit 2; nothing is built or run, and the server is the same process, small. All rows of
bad_input.py go in at once; then each is judged by itself."""
import json
import re
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import bad_input
import confluent_kafka
import gridfs
import pytest
from bad_input import ARCHIVE, KAFKA, META
from kit import Bus, fresh, put_source, wait_until, write_folder

REQUESTS = "slipway.deployment.requests"
MOST_RESIDENT = 512 << 20
SOURCES = META + ARCHIVE
FOLDERS = [row for row in SOURCES if row.files]
by_id = lambda row: row.id  # noqa: E731


def named(rows, run: str) -> dict:
    """A service name for each row."""
    return {row.id: f"{run}-{number}" for number, row in enumerate(rows)}


def resident(pid: int) -> int:
    return int(re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())[1]) << 10


class Outcome:
    """What became of all rows: final statuses by request id, dead letters by their place in the request topic."""

    def __init__(self, server, bus, repository, here, local, instance):
        self.run = fresh("bad")
        self.names = named(SOURCES + KAFKA, self.run)
        self.pid = server.process.pid
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")  # the high-water mark begins anew
        begun = time.time()
        self.status = bus.watch("slipway.deployment.status")
        dead = bus.watch("slipway.deadletter")
        self.requests_of = {}
        places = self._send(bus.brokers, repository, here)
        asked = {row.id for row in SOURCES} | {row.id for row in KAFKA if row.state}
        self.final = wait_until("every row has its end", lambda: self._finals(asked), 120)
        wanted = {place for row, place in places.items() if row not in asked}
        self.letters = {}
        try:
            wait_until("every unreadable record has its dead letter", lambda: self._letters(dead, wanted), 30)
        except AssertionError:
            missing = {row: place for row, place in places.items() if place in wanted - set(self.letters)}
            raise AssertionError(f"no dead letter for {missing}; there are {sorted(self.letters)} and {[m['headers'] for m in dead.messages][-3:]}") from None
        self.letter_of = {row: self.letters[place] for row, place in places.items() if place in self.letters}
        self.peak = resident(self.pid)
        self.alive = server.alive() and server.process.pid == self.pid
        self.created = self._touched(local, instance, begun, "container", "create")
        self.built = [tag for image in local.call("GET", "/images/json") for tag in image.get("RepoTags") or [] if f"/{self.run}" in tag]

    def _send(self, brokers: str, repository, here: str) -> dict:
        """All on one partition, in order: what blocks it blocks the rows behind it. Returns the offset of each row."""
        bucket = gridfs.GridFSBucket(repository, bucket_name="sources")
        producer = confluent_kafka.Producer({"bootstrap.servers": brokers, "message.max.bytes": 1_200_000, "linger.ms": 5, "max.in.flight.requests.per.connection": 1})
        places = {}

        def send(row_id, value, key=None, headers=()):
            def sent(error, message):
                assert error is None, f"{row_id}: {error}"
                places[row_id] = message.offset()
            producer.produce(REQUESTS, value, key, partition=0, headers=list(headers), on_delivery=sent)

        for row in SOURCES:
            name = self.names[row.id]
            bucket.upload_from_stream(f"{name}/1", row.archive(name))
            self.requests_of[row.id] = {"request_id": name, "service_id": name}
            send(row.id, json.dumps({"request_id": name, "service_id": name, "path": f"{name}/1", "machine": here}))
        for row in KAFKA:
            value = row.value
            if isinstance(value, dict):
                value = {"request_id": "NAME", **value} if row.id != "K05 no request_id" else value
                value = json.dumps({key: one for key, one in value.items() if one is not None})
            if value is not None:
                value = bad_input.with_name(value, self.names[row.id]).replace(b"RUN", self.run.encode())
            if row.state:
                self.requests_of[row.id] = json.loads(value)
            send(row.id, value, row.key, row.headers)
        assert producer.flush(60) == 0
        return places

    def _finals(self, asked: set) -> dict | None:
        self.status.poll(0.2)
        finals = [m["value"] for m in self.status.messages if isinstance(m["value"], dict) and m["value"].get("final")]
        found = {}
        for row in asked:
            wish = self.requests_of[row]
            key = "request_id" if "request_id" in wish else "service_id"
            for final in finals:
                if final[key] == wish[key]:
                    found[row] = final
        return found if len(found) == len(asked) else None

    def _letters(self, dead, wanted: set) -> bool:
        dead.poll(0.2)
        self.letters = {int(m["headers"]["slipway_offset"]): m for m in dead.messages
                 if m["headers"].get("slipway_topic") == REQUESTS and m["headers"]["slipway_partition"] == "0"}
        return wanted <= set(self.letters)

    def _touched(self, local, instance: str, begun: float, kind: str, action: str) -> list[str]:
        query = {"since": f"{begun:.9f}", "until": f"{time.time():.9f}", "filters": json.dumps({"type": [kind], "event": [action], "label": [f"slipway.instance={instance}"]})}
        answer = local.call("GET", "/events", query)
        events = answer if isinstance(answer, list) else [answer] if answer else []
        return [event["Actor"]["Attributes"].get("name", "?") for event in events if self.run in json.dumps(event)]


_outcome: list[Outcome | AssertionError] = []


@pytest.fixture
def outcome(server, bus, repository, here, local, stack) -> Outcome:
    if not _outcome:
        own = Bus(bus.brokers)
        try:
            _outcome.append(Outcome(server, own, repository, here, local, stack.instance))
        except AssertionError as failed:
            _outcome.append(failed)  # once for all rows
        finally:
            own.close()
    if isinstance(_outcome[0], AssertionError):
        raise _outcome[0]
    return _outcome[0]


def check_error(error: dict, row) -> None:
    assert error["code"] == row.code, error
    assert error["where"] and re.search(row.where, error["where"]), error
    assert error["hint"], error
    assert row.says in error["message"] + error["hint"], error


@pytest.mark.parametrize("row", SOURCES, ids=by_id)
def test_a_source_by_kafka(row, outcome):
    final = outcome.final[row.id]
    assert final["state"] == "rejected" and final["error"]["stage"] in ("fetched", "validated"), final
    check_error(final["error"], row)


@pytest.mark.parametrize("row", KAFKA, ids=by_id)
def test_a_request_by_kafka(row, outcome):
    if row.reason:
        letter = outcome.letter_of[row.id]
        assert letter["headers"]["slipway_reason"] == row.reason, letter["headers"]
        assert row.says.replace("RUN", outcome.run) in letter["headers"]["slipway_message"], letter["headers"]
        return
    final = outcome.final[row.id]
    assert final["state"] == row.state, final
    if row.code:
        assert final["error"]["code"] == row.code and re.search(row.where, final["error"].get("where", "")), final
        assert row.says in final["error"]["message"] + final["error"].get("hint", ""), final
        assert row.state != "rejected" or row.code.startswith("cancel.") or final["error"].get("hint"), final


def test_nothing_was_touched_and_the_server_stayed_small(outcome):
    assert outcome.alive, "the server died or was started again"
    assert outcome.peak <= MOST_RESIDENT, f"{outcome.peak >> 20} MiB resident at most"
    assert outcome.created == [] and outcome.built == []
    readable = {row.id for row in KAFKA if not row.reason}
    assert readable.isdisjoint(outcome.letter_of), "a request that can be answered is no dead letter"


@pytest.fixture(scope="module")
def by_cli(_server, tmp_path_factory) -> dict:
    """(row, command) -> exit code and output; no server is asked."""
    root = tmp_path_factory.mktemp("bad")

    def run(job):
        row, command = job
        folder = root / f"{FOLDERS.index(row)}"
        return (row.id, command), _server.cli(command, folder, "-o", "json", timeout=60, env={"SLIPWAY_URL": "http://127.0.0.1:9"})

    for number, row in enumerate(FOLDERS):
        write_folder(root / f"{number}", {path: bad_input.with_name(data, f"bad-{number}") for path, data in row.files.items()})
    with ThreadPoolExecutor(2) as pool:
        return dict(pool.map(run, [(row, command) for row in FOLDERS for command in ("validate", "deploy")]))


@pytest.mark.parametrize("command", ["validate", "deploy"])
@pytest.mark.parametrize("row", FOLDERS, ids=by_id)
def test_a_folder_by_cli_is_exit_2(row, command, by_cli):
    done = by_cli[row.id, command]
    assert done.returncode == 2, done.stdout + done.stderr
    said = json.loads(done.stdout)
    error = said["errors"][0] if "errors" in said else said
    check_error(error, row)
    assert error["code"] in done.stderr


@pytest.mark.parametrize("row", [row for row in ARCHIVE if row.id in ("A01 up", "A12 letter case", "A15 20,001 entries", "A18 two sizes", "A25 no entry file")], ids=by_id)
def test_an_archive_in_the_repository_by_cli_is_exit_2(row, outcome, slipway, here):
    name = outcome.names[row.id]
    done = slipway("deploy", "--path", f"{name}/1", "--service", name, "--machine", here, "-o", "json")
    assert done.returncode == 2, done.stdout + done.stderr
    assert row.code in done.stdout + done.stderr


def test_M32_a_secret_in_env_is_a_warning_that_does_not_repeat_it(slipway, tmp_path):
    token = "ghp_" + "a1" * 20
    done = slipway("validate", write_folder(tmp_path, {"service.yaml": f"name: leaky\nimage: x\nenv: {{TOKEN: {token}}}\n"}))
    assert done.returncode == 0 and "env.TOKEN" in done.stderr and token not in done.stdout + done.stderr


def test_M26_a_port_of_another_service_is_refused_before_anything_is_stopped(bus, repository, here, containers, remove):
    with socket.socket() as taken:  # a free one, most likely still free later
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    first, second = fresh("till"), fresh("shop")

    def deploy(name: str, version: str, published: str) -> dict:
        text = f"name: {name}\nversion: {version}\nimage: slipway-base-minimal:1\ncommand: [sh, -c, 'sleep 100000']\nhealthcheck: none\nports: ['{published}']\nupdate: {{healthy_for: 200ms}}\n"
        path = put_source(repository, f"{name}/{version}", {"service.yaml": text})
        return bus.request({"service_id": name, "path": path, "machine": here})[-1]

    assert deploy(first, "1", f"{port}:8080")["state"] == "succeeded"
    assert deploy(second, "1", "0:8080")["state"] == "succeeded"
    before = {name: containers.one(name)["State"]["StartedAt"] for name in (first, second)}
    refused = deploy(second, "2", f"{port}:8080")
    assert refused["state"] == "rejected" and refused["error"]["code"] == "meta.port_conflict" and refused["serving"] == 1, refused
    assert first in refused["error"]["message"] and refused["error"]["where"] == "service.yaml:6:1" and refused["error"]["hint"]
    assert {name: containers.one(name)["State"]["StartedAt"] for name in (first, second)} == before
    for name in (first, second):
        remove(name)

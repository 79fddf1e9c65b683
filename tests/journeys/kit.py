"""What journeys are made of: putting sources into the Repository, speaking on Kafka, waiting for a condition. Ordinary clients only, none of our code."""
import http.client
import io
import json
import subprocess
import tarfile
import threading
import time
import uuid
from pathlib import Path

import confluent_kafka
import gridfs
import read_columns
import yaml

from dev_stack.docker_api import EngineError

SERVICES = Path(__file__).resolve().parent.parent / "services"
STAGES = ["accepted", "fetched", "validated", "built", "agent_ready", "bound", "started", "healthy", "flowing"]


def wait_until(what: str, condition, seconds: float = 30, every: float = 0.1):
    """Returns the condition's first true value; fails with its last value after that time."""
    deadline = time.monotonic() + seconds
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds:.0f} s: {what} (last seen: {value!r})")
        time.sleep(every)


def put_source(database, path: str, files: dict[str, str | bytes]) -> str:
    """A service's folder as one tar in the bucket `sources`, the way any script may do it. Returns the path for requests."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        for name, content in files.items():
            data = content.encode() if isinstance(content, str) else content
            info = tarfile.TarInfo(name)
            info.size = len(data)
            info.mode = 0o644
            tar.addfile(info, io.BytesIO(data))
    gridfs.GridFSBucket(database, bucket_name="sources").upload_from_stream(path, out.getvalue())
    return path


def folder_files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def request_id() -> str:
    return f"j-{uuid.uuid4().hex[:12]}"


def fresh(name: str) -> str:
    """A service or machine name of this test alone."""
    return f"{name}-{uuid.uuid4().hex[:6]}"


def service(base: str, name: str, **meta) -> dict[str, bytes]:
    """The files of tests/services/<base> under another name; `meta` goes over its service.yaml (env: added to what is there)."""
    files = folder_files(SERVICES / base)
    text = yaml.safe_load(files["service.yaml"])
    env = {**text.get("env", {}), **meta.pop("env", {})}
    text |= {"name": name, **meta} | ({"env": env} if env else {})
    files["service.yaml"] = yaml.safe_dump(text, sort_keys=False).encode()
    return files


def write_folder(folder: Path, files: dict[str, bytes | str]) -> Path:
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
    return folder


def story(statuses: list[dict]) -> list[dict]:
    """Status messages of one request in order. A message may come twice, then it must be the same; seq must be 1, 2, 3 ... and the last one final."""
    by_seq: dict[int, dict] = {}
    for status in statuses:
        seen = by_seq.setdefault(status["seq"], status)
        assert seen == status, f"seq {status['seq']} came with another content: {seen} and {status}"
    ordered = [by_seq[seq] for seq in sorted(by_seq)]
    assert [status["seq"] for status in ordered] == list(range(1, len(ordered) + 1)), f"a gap in seq: {sorted(by_seq)}"
    finals = [status["seq"] for status in ordered if status["final"]]
    assert finals == [len(ordered)], f"exactly the last status must be final, these are: {finals} of {len(ordered)}"
    return ordered


def get(address: str, path: str = "/", seconds: float = 5) -> tuple[int, bytes]:
    """GET from "127.0.0.1:49153"."""
    host, _, port = address.rpartition(":")
    connection = http.client.HTTPConnection(host, int(port), timeout=seconds)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def stored_seconds(database, machine: str, since: float = 0) -> list[tuple[str, int, int]]:
    """Boot, number and time (ms) of each second that is stored of a machine, in order."""
    rows = []
    for minute in database["samples_1s"].find({"machine": machine}):
        columns = read_columns.read(minute)
        rows += [row for row in zip(columns["boot"], columns["seq"], columns["t"]) if row[2] >= since]
    return sorted(rows, key=lambda row: row[2])


def missing_seconds(rows: list[tuple[str, int, int]]) -> list[str]:
    """What is wrong with the numbers of stored seconds: some stored twice, some missing."""
    wrong = []
    by_boot: dict[str, list[int]] = {}
    for boot, seq, _ in rows:
        by_boot.setdefault(boot, []).append(seq)
    for boot, numbers in by_boot.items():
        missing = sorted(set(range(min(numbers), max(numbers) + 1)) - set(numbers))
        if missing:
            wrong.append(f"{len(missing)} samples of {boot} are missing: {missing[:5]}")
        if len(numbers) > len(set(numbers)):
            wrong.append(f"samples of {boot} are stored twice")
    return wrong


class Topic:
    """Everything said on a topic from now on (or from its beginning), over all partitions, without a group."""

    def __init__(self, brokers: str, name: str, from_beginning: bool = False):
        self.name = name
        self.messages: list[dict] = []
        self.consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": f"journey-{uuid.uuid4().hex}", "enable.auto.commit": False,
                                                  "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
        self.consumer.assign(wait_until(f"the topic {name} is there", lambda: self._places(from_beginning), 30))

    def _places(self, from_beginning: bool) -> list | None:
        """Where to begin on each partition; None while the topic is missing or has no leader yet."""
        found = self._metadata()
        places = []
        for partition in found.partitions if found else []:
            try:
                low, high = self.consumer.get_watermark_offsets(confluent_kafka.TopicPartition(self.name, partition), timeout=10)
            except confluent_kafka.KafkaException:
                return None
            places.append(confluent_kafka.TopicPartition(self.name, partition, low if from_beginning else high))
        return places

    def _metadata(self):
        found = self.consumer.list_topics(self.name, timeout=10).topics[self.name]
        return found if found.partitions and found.error is None else None

    def poll(self, seconds: float = 0.2) -> list[dict]:
        """What came within that time, also kept in `messages`. Each: key, value (parsed), headers, at (ms), partition, offset."""
        new = []
        first = self.consumer.poll(seconds)  # returns at once when something is there; consume() would wait for more
        for message in [first, *self.consumer.consume(500, 0)] if first is not None else []:  # one without a value counts as false
            if message.error():
                raise AssertionError(f"{self.name}: {message.error()}")
            raw = message.value()
            try:
                value = json.loads(raw) if raw is not None else None
            except (ValueError, RecursionError):
                value = raw
            new.append({"key": message.key().decode() if message.key() else None, "value": value, "at": message.timestamp()[1],
                        "headers": {key: (text or b"").decode(errors="replace") for key, text in message.headers() or []},
                        "partition": message.partition(), "offset": message.offset()})
        self.messages += new
        return new

    def until(self, what: str, condition, seconds: float = 60) -> dict:
        """The first message, seen already or to come, for which condition(value) is true."""
        deadline = time.monotonic() + seconds
        looked = 0
        while True:
            for message in self.messages[looked:]:
                if message["value"] is not None and condition(message["value"]):
                    return message
            looked = len(self.messages)
            if time.monotonic() > deadline:
                last = json.dumps([m["value"] for m in self.messages[-8:]], default=repr)
                raise AssertionError(f"{self.name}: not within {seconds:.0f} s: {what}; the last ones: {last}")
            self.poll()

    def of(self, request_id: str) -> list[dict]:
        return [m["value"] for m in self.messages if isinstance(m["value"], dict) and m["value"].get("request_id") == request_id]

    def close(self) -> None:
        self.consumer.close()


class Bus:
    """Kafka as a neighbour sees it."""

    def __init__(self, brokers: str):
        self.brokers = brokers
        self._open: list[Topic] = []

    def kcat(self, topic: str, *values: dict | str) -> None:
        """Plain JSON without key and headers, by the tool that everyone has."""
        lines = "".join((value if isinstance(value, str) else json.dumps(value)) + "\n" for value in values)
        subprocess.run(["kcat", "-P", "-b", self.brokers, "-t", topic], input=lines, text=True, check=True, timeout=30, capture_output=True)

    def watch(self, topic: str, from_beginning: bool = False) -> Topic:
        self._open.append(Topic(self.brokers, topic, from_beginning))
        return self._open[-1]

    def request(self, value: dict, topic: str = "slipway.deployment.requests", seconds: float = 120) -> list[dict]:
        """Sends a request with a request_id by kcat and returns its story, the status messages to its final one."""
        watching = self.watch("slipway.deployment.status")
        value = {"request_id": request_id(), **value}
        self.kcat(topic, value)
        watching.until(f"a final status of {value}", lambda v: v.get("request_id") == value["request_id"] and v.get("final"), seconds)
        return story(watching.of(value["request_id"]))

    def ask(self, system: str, value: dict, seconds: float = 60) -> dict:
        """Sends a request with a request_id to slipway.<system>.requests by kcat and returns the answer on slipway.<system>.replies."""
        watching = self.watch(f"slipway.{system}.replies")
        value = {"request_id": request_id(), **value}
        self.kcat(f"slipway.{system}.requests", value)
        return watching.until(f"an answer to {value}", lambda v: v.get("request_id") == value["request_id"], seconds)["value"]

    def close(self) -> None:
        for topic in self._open:
            topic.close()
        self._open.clear()


class EngineEvents:
    """What an Engine does from now on. It remembers only its last 256 events itself: on a busy machine some seconds."""

    _of: dict[str, "EngineEvents"] = {}

    def __init__(self, api):
        self._api = api
        self._newest = time.time()
        self._kept: dict[tuple, dict] = {}
        threading.Thread(target=self._listen, daemon=True).start()

    @classmethod
    def of(cls, api) -> "EngineEvents":
        if api.endpoint not in cls._of:
            cls._of[api.endpoint] = cls(api)
        return cls._of[api.endpoint]

    def between(self, since: float, until: float, filters: dict[str, str]) -> list[dict]:
        answer = self._api.call("GET", "/events", {"since": f"{since:.9f}", "until": f"{until:.9f}"})  # what is not heard yet
        for event in answer if isinstance(answer, list) else [answer] if answer else []:
            self._keep(event)
        wanted = {"type": "Type", "event": "Action"}
        return [event for at, event in sorted(list(self._kept.items()), key=lambda one: one[0])
                if since <= at[0] / 1e9 <= until and all(event[wanted[name]] == value for name, value in filters.items())]

    def _keep(self, event: dict) -> None:
        self._kept[event["timeNano"], event["Type"], event["Action"], event["Actor"]["ID"]] = event
        self._newest = max(self._newest, event["timeNano"] / 1e9)

    def _listen(self) -> None:
        while True:
            try:
                with self._api.stream("GET", "/events", {"since": f"{self._newest:.9f}"}, timeout=7200) as answer:
                    for line in answer:
                        self._keep(json.loads(line))
            except (OSError, http.client.HTTPException, EngineError, ValueError):
                pass  # it is down, or was killed in the middle of a line
            time.sleep(0.1)


class Containers:
    """The service containers of one Engine, by labels. `api` is a dev_stack Api."""

    def __init__(self, api, instance: str):
        self.api = api
        self.instance = instance
        self._events = EngineEvents.of(api)

    def of(self, service_id: str | None = None, running: bool = True) -> list[dict]:
        """Ours, of one service or of all with the agent: inspected."""
        found = self.api.containers(f"slipway.instance={self.instance}", running_only=running)
        wanted = [c["Id"] for c in found if service_id is None or c["Labels"].get("slipway.service") == service_id]
        return [inspected for one in wanted if (inspected := self._inspect(one)) is not None]

    def _inspect(self, container_id: str) -> dict | None:
        try:
            return self.api.inspect(container_id)
        except EngineError as gone:
            if gone.status != 404:
                raise
            return None

    def one(self, service_id: str) -> dict:
        """The only container of a service, running or not. The one before is removed after the final status: that much is waited for."""
        wait_until(f"{service_id} has one container", lambda: len(self.of(service_id, running=False)) == 1, 10)
        return self.of(service_id, running=False)[0]

    def agent(self) -> dict | None:
        found = [c for c in self.of() if c["Config"]["Labels"].get("slipway.role") == "agent"]
        assert len(found) < 2, f"{len(found)} agents run"
        return found[0] if found else None

    def address(self, container: dict, port: str = "8080/tcp") -> str:
        published = container["NetworkSettings"]["Ports"][port][0]
        return f"{published['HostIp']}:{published['HostPort']}"

    def events(self, since: float, until: float, **filters) -> list[dict]:
        """What the Engine says happened between two times (seconds since the epoch)."""
        return self._events.between(since, until, filters)

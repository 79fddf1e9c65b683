"""What journeys are made of: putting sources into the Repository, speaking on Kafka, waiting for a condition. Ordinary clients only, none of our code."""
import io
import json
import subprocess
import tarfile
import time
import uuid
from pathlib import Path

import confluent_kafka
import gridfs


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


def fresh(name: str) -> str:
    """A service or machine name of this test alone."""
    return f"{name}-{uuid.uuid4().hex[:6]}"


class Topic:
    """Everything said on a topic from now on (or from its beginning), over all partitions, without a group."""

    def __init__(self, brokers: str, name: str, from_beginning: bool = False):
        self.name = name
        self.messages: list[dict] = []
        self.consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": f"journey-{uuid.uuid4().hex}", "enable.auto.commit": False,
                                                  "auto.offset.reset": "earliest", "isolation.level": "read_committed"})
        found = wait_until(f"the topic {name} is there", self._metadata, 30)
        places = []
        for partition in found.partitions:
            low, high = self.consumer.get_watermark_offsets(confluent_kafka.TopicPartition(name, partition), timeout=10)
            places.append(confluent_kafka.TopicPartition(name, partition, low if from_beginning else high))
        self.consumer.assign(places)

    def _metadata(self):
        found = self.consumer.list_topics(self.name, timeout=10).topics[self.name]
        return found if found.partitions and found.error is None else None

    def poll(self, seconds: float = 0.2) -> list[dict]:
        """What came within that time, also kept in `messages`. Each: key, value (parsed), headers, at (ms), partition, offset."""
        new = []
        for message in self.consumer.consume(500, seconds):
            if message.error():
                raise AssertionError(f"{self.name}: {message.error()}")
            raw = message.value()
            try:
                value = json.loads(raw) if raw is not None else None
            except ValueError:
                value = raw
            new.append({"key": message.key().decode() if message.key() else None, "value": value, "at": message.timestamp()[1],
                        "headers": {key: (text or b"").decode() for key, text in message.headers() or []},
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

    def request(self, topic: str, value: dict, answers: str = "slipway.deployment.status", seconds: float = 180) -> list[dict]:
        """Sends a request with a request_id by kcat and returns the status messages to its final one."""
        watching = self.watch(answers)
        value = {"request_id": f"j-{uuid.uuid4().hex[:12]}", **value}
        self.kcat(topic, value)
        watching.until(f"a final status of {value['request_id']}", lambda v: v.get("request_id") == value["request_id"] and v.get("final"), seconds)
        return watching.of(value["request_id"])

    def close(self) -> None:
        for topic in self._open:
            topic.close()
        self._open.clear()

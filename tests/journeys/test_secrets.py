"""A secret reaches its service as a file, and nobody else: its value is looked for in everything that Slipway writes, says or starts."""
import hashlib
import io
import json
import tarfile
import threading
import time
import uuid
from pathlib import Path

import bson.codec_options
import bson.raw_bson
import confluent_kafka
import pytest
from kit import fresh, wait_until, write_folder

MAIN = """import hashlib, os, time
# {control}
value = open("/run/secrets/DB_PASSWORD", "rb").read()
print("got", hashlib.sha256(value).hexdigest(), oct(os.stat("/run/secrets/DB_PASSWORD").st_mode & 0o777), flush=True)
while True:
    time.sleep(100)
"""


class ProcessList(threading.Thread):
    """Command lines and environments of every process, looked at again and again; remembers which of `words` were seen there."""

    def __init__(self, words: list[str]):
        super().__init__(daemon=True)
        self.words = [word.encode() for word in words]
        self.seen: set[str] = set()
        self.rounds = 0
        self.done = threading.Event()

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        wait_until("it looked at the processes", lambda: self.rounds > 1)
        self.done.set()
        self.join()

    def run(self):
        while not self.done.wait(0.03):
            for process in Path("/proc").glob("[0-9]*"):
                for name in ("cmdline", "environ"):
                    try:
                        text = (process / name).read_bytes()
                    except OSError:
                        continue  # gone, or not ours to see
                    self.seen |= {word.decode() for word in self.words if word in text}
            self.rounds += 1


def on_topics(brokers: str) -> bytes:
    """Every key, header and value on Slipway's topics, from their beginning to now."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": f"journey-{uuid.uuid4().hex}", "enable.auto.commit": False, "enable.partition.eof": True})
    places = [confluent_kafka.TopicPartition(name, number, confluent_kafka.OFFSET_BEGINNING)
              for name, topic in consumer.list_topics(timeout=10).topics.items() if name.startswith("slipway.") for number in topic.partitions]
    consumer.assign(places)
    said, open_ends, deadline = [], len(places), time.monotonic() + 60
    while open_ends:
        assert time.monotonic() < deadline
        for message in consumer.consume(1000, 0.5):
            if message.error():
                assert message.error().code() == confluent_kafka.KafkaError._PARTITION_EOF, message.error()
                open_ends -= 1
                continue
            said += [message.key() or b"", message.value() or b"", *(value or b"" for _, value in message.headers() or [])]
    consumer.close()
    return b"\n".join(said)


def in_documents(repository) -> bytes:
    """Every document, as the bytes that are stored."""
    raw = bson.codec_options.CodecOptions(document_class=bson.raw_bson.RawBSONDocument)
    return b"\n".join(document.raw for name in repository.list_collection_names() for document in repository.get_collection(name, raw).find())


def in_container(api, container: str, path: str) -> list[tuple[tarfile.TarInfo, bytes]]:
    with api.stream("GET", f"/containers/{container}/archive", {"path": path}) as answer:
        tar = tarfile.open(fileobj=io.BytesIO(answer.read()))
    return [(one, tar.extractfile(one).read()) for one in tar if one.isfile()]


def logs(api, container: str) -> bytes:
    with api.stream("GET", f"/containers/{container}/logs", {"stdout": 1, "stderr": 1}) as answer:
        return answer.read()


def image_contains(api, image: str, words: list[str]) -> set[str]:
    """Which of the words are in the image: its settings, its history and the bytes of its layers."""
    found, rest, longest = set(), json.dumps([api.image(image), api.call("GET", f"/images/{image}/history")]).encode(), max(map(len, words))
    with api.stream("GET", f"/images/{image}/get", timeout=120) as archive:
        while chunk := archive.read(1 << 20):
            rest += chunk
            found |= {word for word in words if word.encode() in rest}
            rest = rest[-longest:]
    return found


def meta(name: str, control: str, **more) -> str:
    return json.dumps({"name": name, "runtime": "python@3.11", "command": "python3 main.py", "env": {"CONTROL": control}, "secrets": ["DB_PASSWORD"],
                       "healthcheck": "none", "update": {"healthy_for": "200ms"}, "stop_grace_period": "1s", **more})


@pytest.fixture
def password(slipway, tmp_path):
    """Sets DB_PASSWORD to a value, from a file; it is gone after the test."""

    def put(value: str) -> dict:
        (tmp_path / "value").write_text(value)
        done = slipway("secret", "set", "DB_PASSWORD", "--file", tmp_path / "value", "-o", "json")
        assert done.returncode == 0 and value not in done.stdout + done.stderr, done.stdout + done.stderr
        return json.loads(done.stdout)

    yield put
    slipway("secret", "rm", "DB_PASSWORD", "--yes")


def test_a_secret_is_seen_by_its_service_alone(server, slipway, password, repository, stack, local, containers, bus, here, remove, tmp_path):
    canary, control, name = f"canary-{uuid.uuid4().hex}", f"control-{uuid.uuid4().hex}", fresh("vault")
    folder = write_folder(tmp_path / "code", {"service.json": meta(name, control), "main.py": MAIN.format(control=control)})
    since = time.time()
    with ProcessList([canary, control]) as processes:
        version = password(canary)["version"]
        done = slipway("deploy", folder, "--machine", here)
        assert done.returncode == 0, done.stdout + done.stderr
        mine = containers.one(name)
        wait_until("it has read its secret", lambda: hashlib.sha256(canary.encode()).hexdigest().encode() in logs(local, mine["Id"]))
    assert b"0o400" in logs(local, mine["Id"])
    [(entry, value)] = in_container(local, mine["Id"], "/run/secrets")
    assert (entry.name, entry.uid, entry.mode & 0o777, value.decode()) == ("secrets/DB_PASSWORD", 65532, 0o400, canary)
    assert repository["releases"].find_one({"service_id": name})["secrets"] == {"DB_PASSWORD": version}

    # Each place is first shown to be one where a word would be found.
    shown = json.dumps([local.inspect(one["Id"]) for one in containers.of(running=False)])
    events = json.dumps(containers.events(since, time.time()))
    topics, documents, server_log = on_topics(stack.env()["KAFKA_BROKERS"]), in_documents(repository), server.log.read_bytes()
    assert control in shown and name in events and name.encode() in topics and control.encode() in documents and b"DB_PASSWORD" in server_log
    assert control in processes.seen, "in the environment of the service"
    assert image_contains(local, mine["Config"]["Image"], [control, canary]) == {control}
    assert canary not in shown and canary not in events and canary not in processes.seen
    for where, text in (("topics", topics), ("documents", documents), ("the server's log", server_log)):
        assert canary.encode() not in text, where
    for one in containers.of():
        assert canary.encode() not in logs(local, one["Id"]), one["Name"]
    assert canary not in done.stdout + done.stderr + slipway("secret", "ls", "-o", "json").stdout + slipway("show", name, "-o", "json").stdout

    # Another value is another release; the same one is none.
    password(canary)
    unchanged = slipway("deploy", folder, "--machine", here)
    assert unchanged.returncode == 0 and containers.one(name)["Id"] == mine["Id"], unchanged.stdout + unchanged.stderr
    second = f"canary-{uuid.uuid4().hex}"
    assert password(second)["version"] != version
    assert slipway("deploy", folder, "--machine", here).returncode == 0
    after = containers.one(name)
    assert after["Config"]["Labels"]["slipway.release"] == "2"
    assert in_container(local, after["Id"], "/run/secrets")[0][1].decode() == second
    local.remove_container(after["Id"])
    healed = wait_until("what was removed by hand is back", lambda: containers.of(name), 30)[0]
    assert in_container(local, healed["Id"], "/run/secrets")[0][1].decode() == second
    remove(name)


def test_a_missing_secret_is_refused_before_anything_is_touched(password, slipway, containers, bus, here, remove, tmp_path):
    name = fresh("locked")
    password("x")
    image = {"runtime": None, "image": "slipway-base-minimal:1", "command": ["sh", "-c", "cat /run/secrets/key >/dev/null && sleep 100000"], "user": "1000:1000"}
    text = {key: value for key, value in json.loads(meta(name, "-", **image, secrets=[{"name": "DB_PASSWORD", "target": "key"}])).items() if value is not None}
    folder = write_folder(tmp_path / "code", {"service.json": json.dumps(text)})
    assert slipway("deploy", folder, "--machine", here).returncode == 0
    before = containers.one(name)
    write_folder(folder, {"service.json": json.dumps(text | {"secrets": ["DB_PASSWORD", "NEVER_SET_1", "NEVER_SET_2"]})})
    done = slipway("deploy", folder, "--machine", here, "-o", "json")
    assert done.returncode == 3, done.stdout + done.stderr
    assert "secret.missing" in done.stdout + done.stderr and "NEVER_SET_1, NEVER_SET_2" in done.stdout + done.stderr and "slipway secret set" in done.stdout + done.stderr
    after = containers.one(name)
    assert (after["Id"], after["State"]["StartedAt"]) == (before["Id"], before["State"]["StartedAt"])
    remove(name)

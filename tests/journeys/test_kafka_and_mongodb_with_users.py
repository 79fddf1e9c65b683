"""Kafka that asks who is there and MongoDB with a user: all of Slipway works with the rights that the README lists, and a right that is missing is named and waited for."""
import json
import secrets
import shutil
import threading
import time

import confluent_kafka
import pymongo
import pytest
from confluent_kafka.admin import AclBinding, AclBindingFilter, AclOperation as Op, AclPermissionType as Permission, AdminClient, ResourcePatternType as Pattern, ResourceType as On
from kit import Bus, Containers, fresh, put_source, request_id, wait_until

from dev_stack import images
from dev_stack.base import run
from dev_stack.kafka import Kafka
from dev_stack.repository import Repository
from dev_stack.server import Server

USERS = {name: secrets.token_hex(12) for name in ("server", "agent", "service", "mongo")}
# The table of the README: who, on what, may do what.
RIGHTS = [
    ("server", On.TOPIC, "slipway.", Pattern.PREFIXED, [Op.CREATE, Op.DESCRIBE, Op.DESCRIBE_CONFIGS, Op.READ, Op.WRITE]),
    ("server", On.TOPIC, "sensor.", Pattern.PREFIXED, [Op.CREATE, Op.DESCRIBE, Op.DESCRIBE_CONFIGS, Op.READ, Op.WRITE]),
    ("server", On.GROUP, "slipway.", Pattern.PREFIXED, [Op.READ, Op.DESCRIBE]),
    ("server", On.BROKER, "kafka-cluster", Pattern.LITERAL, [Op.DESCRIBE]),
    ("agent", On.TOPIC, "slipway.machine.stats", Pattern.LITERAL, [Op.DESCRIBE, Op.WRITE]),
    ("service", On.TOPIC, "sensor.", Pattern.PREFIXED, [Op.DESCRIBE, Op.READ]),
    ("service", On.GROUP, "slipway.service.", Pattern.PREFIXED, [Op.READ]),
]


def sasl(user: str) -> dict:
    return {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanisms": "PLAIN", "sasl.username": user, "sasl.password": USERS[user]}


def rule(user: str, on, name: str, pattern, operation, permission=Permission.ALLOW, kind=AclBinding):
    return kind(on, name, pattern, f"User:{user}", "*", operation, permission)


@pytest.fixture(scope="module")
def folder(stack):
    """Of the two, empty at the start: the passwords are new ones."""
    path = stack.folder / "secured"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    yield path
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def kafka(stack, folder):
    broker = Kafka(folder, stack.bridge().address, {}, {name: USERS[name] for name in ("server", "agent", "service")})
    broker.start(9392)
    admin = AdminClient({"bootstrap.servers": broker.local_brokers})
    for done in admin.create_acls([rule(user, on, name, pattern, operation) for user, on, name, pattern, operations in RIGHTS for operation in operations]).values():
        done.result(10)
    yield broker
    broker.stop()


@pytest.fixture(scope="module")
def mongodb(folder):
    """Its URI with the user's name and password; the user has readWrite on one database."""
    store = Repository(folder, {})
    store.start(27317)
    with pymongo.MongoClient(store.uri, directConnection=True) as client:
        client["slipway"].command("createUser", "slipway", pwd=USERS["mongo"], roles=[{"role": "readWrite", "db": "slipway"}])
    store.stop()
    store = Repository(folder, store.record, auth=True)
    store.start()
    with pymongo.MongoClient(store.uri, directConnection=True) as nobody, pytest.raises(pymongo.errors.OperationFailure):
        nobody["slipway"]["lanes"].find_one()
    yield store.uri.replace("://", f"://slipway:{USERS['mongo']}@") + "/slipway?authSource=slipway"
    store.stop()


@pytest.fixture(scope="module")
def site(stack, preset, _server, kafka, mongodb):
    _server.stop()  # two servers at once are another test
    instance = f"{stack.instance}-users"
    one = Server(stack, preset, name="with-users", settings={
        "instance": instance, "mongodb": {"uri": mongodb},
        "kafka": {"brokers": kafka.brokers, "machine_brokers": kafka.brokers, "properties": sasl("server"), "for_agents": sasl("agent"), "for_services": sasl("service")}})
    one.start()
    yield one
    one.stop()
    stack.api.purge(instance)


@pytest.fixture
def bus(site, kafka):
    one = Bus(kafka.local_brokers)
    yield one
    one.close()


@pytest.fixture
def ours(site, stack):
    return Containers(stack.api, f"{stack.instance}-users")


def test_nobody_gets_in_without_a_name(kafka):
    nobody = confluent_kafka.Consumer({"bootstrap.servers": kafka.brokers, "group.id": "nobody"})
    with pytest.raises(confluent_kafka.KafkaException):
        nobody.list_topics(timeout=3)
    nobody.close()
    service = confluent_kafka.Consumer({"bootstrap.servers": kafka.brokers, "group.id": "slipway.service.x", **sasl("service")})
    assert not [name for name in service.list_topics(timeout=10).topics if name.startswith("slipway.")], "a service sees none of Slipway's topics"
    service.close()


def test_a_deployment_its_sensor_and_the_samples(site, bus, mongodb, ours, stack, kafka):
    assert not bus.ask("machine", {"action": "add", "machine": "guarded", "docker": stack.docker_host}).get("error")
    assert not bus.ask("sensor", {"action": "simulate", "sensor": {"sensor_id": "u-1", "type": "users", "rate": "20/s"}}).get("error")
    name = fresh("named")
    meta = {"name": name, "image": images.MINIMAL, "user": "1000:1000", "command": ["sh", "-c", "sleep 100000"], "healthcheck": "none", "update": {"healthy_for": "200ms"},
            "stop_grace_period": "1s", "sensors": [{"name": "numbers", "type": "users", "rate": "20/s", "required": True}]}
    with pymongo.MongoClient(mongodb, directConnection=True) as client:
        wish = {"request_id": request_id(), "service_id": name, "machine": "guarded", "path": put_source(client["slipway"], f"{name}/1", {"service.json": json.dumps(meta)})}
        status = bus.watch("slipway.deployment.status")
        bus.kcat("slipway.deployment.requests", wish)
        status.until("it is started", lambda v: v["request_id"] == wish["request_id"] and (v["final"] or v["stage"] == "healthy"), 120)
        [mine] = ours.of(name)
        # The service's part, with what it was given and nothing else.
        given = run(["docker", "-H", stack.docker_host, "exec", mine["Id"], "cat", "/run/slipway/kafka.properties"]).stdout
        env = dict(line.split("=", 1) for line in mine["Config"]["Env"])
        reader = confluent_kafka.Consumer(dict(line.split("=", 1) for line in given.splitlines() if "=" in line)
                                          | {"group.id": env["SLIPWAY_KAFKA_GROUP"], "auto.offset.reset": "earliest", "auto.commit.interval.ms": 500})
        reader.subscribe([env["SLIPWAY_SENSOR_NUMBERS_TOPIC"]])
        ended = threading.Event()
        read: list = []
        reading = threading.Thread(target=lambda: [read.extend(m.error() or m.value() for m in reader.consume(50, 0.2)) for _ in iter(ended.is_set, True)])
        reading.start()
        try:
            final = status.until("the end", lambda v: v["request_id"] == wish["request_id"] and v["final"], 120)["value"]
        finally:
            ended.set()
            reading.join()
            reader.close()
        assert final["state"] == "succeeded", final
        assert read and all(isinstance(value, bytes) for value in read), read[:3]
        wait_until("samples are stored", lambda: client["slipway"]["samples_1s"].find_one({"machine": "guarded"}), 60)
    assert wait_until("all is well", lambda: (told := json.loads(site.cli("status", "-o", "json").stdout))["ok"] and told, 60)
    shown = json.dumps([ours.api.inspect(one["Id"]) for one in ours.of(running=False)]) + site.log.read_text()
    assert [user for user, password in USERS.items() if password in shown] == []
    bus.request({"service_id": name, "action": "remove"})


def test_a_missing_right_is_named_and_the_request_waits_for_it(site, bus, kafka):
    """FAULTS F13: no busy loop, nothing is lost, no dead letter."""
    admin = AdminClient({"bootstrap.servers": kafka.local_brokers})
    replies = bus.watch("slipway.sensor.replies")
    letters = bus.watch("slipway.deadletter")
    forbidden = ("server", On.TOPIC, "slipway.sensor.replies", Pattern.LITERAL, Op.WRITE, Permission.DENY)
    [denied] = admin.create_acls([rule(*forbidden)]).values()
    denied.result(10)
    before = len(site.log.read_bytes())
    wish = {"request_id": request_id(), "action": "add", "sensor": {"sensor_id": fresh("u"), "type": "users"}}
    bus.kcat("slipway.sensor.requests", wish)
    begun = time.monotonic()
    said = wait_until("the log names it", lambda: "slipway.sensor.replies" in (new := site.log.read_bytes()[before:].decode()) and new, 20)
    assert "kafka.denied" in said and "uthorization" in said and "publishing" in said, said
    wait_until("it was tried for a while", lambda: time.monotonic() - begun > 3)
    lines = [line for line in site.log.read_bytes()[before:].decode().splitlines() if "slipway.sensor.replies" in line]
    assert len(lines) < 10, lines
    [allowed] = admin.delete_acls([rule(*forbidden, kind=AclBindingFilter)]).values()
    allowed.result(10)
    answer = replies.until("the answer, once it may be given", lambda v: v["request_id"] == wish["request_id"], 30)["value"]
    assert not answer.get("error"), answer
    letters.poll(0.5)
    assert not letters.of(wish["request_id"])

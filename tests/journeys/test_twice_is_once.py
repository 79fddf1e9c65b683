"""The same request ten times to two deployers, and the whole request topic from its beginning: one container, one end, no create."""
import time

import confluent_kafka
import pytest
import yaml
from confluent_kafka.admin import AdminClient
from kit import fresh, put_source, request_id, story, wait_until

from dev_stack import build, process
from dev_stack.server import Server

GROUP = "slipway.deployment_manager"
TOPIC = "slipway.deployment.requests"
META = {"image": "slipway-base-minimal:1", "command": ["sh", "-c", "sleep 100000"], "healthcheck": "none", "update": {"healthy_for": "200ms"}, "stop_grace_period": "1s"}


@pytest.fixture
def admin(stack):
    return AdminClient({"bootstrap.servers": stack.env()["KAFKA_BROKERS"]})


def members(admin) -> int:
    return len(admin.describe_consumer_groups([GROUP])[GROUP].result().members)


@pytest.fixture
def second_deployer(stack, preset, server, admin):
    """A Deployment Manager in a process and with a state folder of its own, beside the server's."""
    other = Server(stack, preset, name="second-deployer", roles="deployment_manager")
    other.record.setdefault("port", 0)
    other.write_config()
    running = process.start([build.binary("slipway", preset), "serve", "--roles", other.roles, "--config", other.config], other.log, cwd=other.folder)
    try:
        wait_until("both share the requests", lambda: members(admin) == 2, 30)
        yield running
    finally:
        running.stop(15)


def creates(containers, since: float, name: str | None = None) -> list[str]:
    """Names of the service containers that the Engine has created since then."""
    events = [event["Actor"]["Attributes"] for event in containers.events(since, time.time(), type="container", event="create")]
    ours = [one for one in events if one.get("slipway.instance") == containers.instance and one.get("slipway.role") == "service"]
    return [one["name"] for one in ours if name is None or one.get("slipway.service") == name]


def test_the_same_line_ten_times_to_two_deployers(here, bus, repository, containers, second_deployer, remove):
    name = fresh("once")
    since = time.time()
    wish = {"request_id": request_id(), "service_id": name, "machine": here, "path": put_source(repository, f"{name}/1", {"service.yaml": yaml.safe_dump(META | {"name": name})})}
    status = bus.watch("slipway.deployment.status")
    for _ in range(10):
        bus.kcat(TOPIC, wish)  # each time another process, so another partition
    status.until("its end", lambda v: v["request_id"] == wish["request_id"] and v["final"], 60)
    # Each of the ten is answered: wait for what the last ones repeat, which must be the same.
    wait_until("all ten are worked off", lambda: lag(bus) == 0, 30)
    status.poll(1)
    assert story(status.of(wish["request_id"]))[-1]["state"] == "succeeded"
    assert creates(containers, since, name) == [containers.one(name)["Name"].strip("/")]
    remove(name)


def lag(bus) -> int:
    """How many records of the request topic the deployers have not worked off."""
    reader = confluent_kafka.Consumer({"bootstrap.servers": bus.brokers, "group.id": GROUP, "enable.auto.commit": False})
    try:
        places = [confluent_kafka.TopicPartition(TOPIC, partition) for partition in reader.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions]
        left = 0
        for place in reader.committed(places, timeout=10):
            low, high = reader.get_watermark_offsets(place, timeout=10)
            left += high - max(place.offset, low)
        return left
    finally:
        reader.close()


def test_the_whole_request_topic_again_creates_nothing(server, bus, repository, containers, admin):
    """FAULTS F07 and F11: whatever the journeys before this one have asked for comes again."""
    wait_until("nothing is under work", lambda: repository["lanes"].find_one({"active": {"$ne": None}}) is None, 60)
    server.stop()
    wait_until("the group is empty", lambda: members(admin) == 0, 30)
    before = {one["_id"]: one["stages"] for one in repository["deployments"].find()}
    assert before
    since = time.time()
    counts = admin.list_topics(TOPIC, timeout=10).topics[TOPIC].partitions
    beginning = [confluent_kafka.TopicPartition(TOPIC, partition, 0) for partition in counts]
    admin.alter_consumer_group_offsets([confluent_kafka.ConsumerGroupTopicPartitions(GROUP, beginning)])[GROUP].result()
    assert lag(bus) > 0
    server.start()
    wait_until("all of them are worked off", lambda: lag(bus) == 0, 60, every=0.5)
    wait_until("nothing is under work", lambda: repository["lanes"].find_one({"$or": [{"active": {"$ne": None}}, {"queue": {"$ne": []}}]}) is None, 30)
    assert creates(containers, since) == []
    assert {one["_id"]: one["stages"] for one in repository["deployments"].find({"_id": {"$in": list(before)}})} == before

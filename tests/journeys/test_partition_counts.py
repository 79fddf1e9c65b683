"""A topic that gets further partitions is met at the next start: refused where samples lie in it, warned of elsewhere, accepted by removing one document."""
import json
import subprocess

import pymongo
import pytest
from confluent_kafka.admin import AdminClient, NewPartitions
from kit import fresh, wait_until

from dev_stack import build
from dev_stack.server import Server

PREFIX = f"{fresh('counts')}."
STATS, ALERTS = f"{PREFIX}machine.stats", f"{PREFIX}alerts"


class Site:
    """A server with topics and a database of its own: those of the other journeys keep their partitions."""

    def __init__(self, stack, preset: str):
        database = PREFIX.rstrip(".")
        self.server = Server(stack, preset, name="server-counts", roles="gateway", settings={"kafka": {"topic_prefix": PREFIX}, "mongodb": {"database": database}})
        self.kafka = AdminClient({"bootstrap.servers": stack.env()["KAFKA_BROKERS"]})
        self.client = pymongo.MongoClient(stack.env()["MONGODB_URI"], directConnection=True)
        self.topics = self.client[database]["topics"]

    def partitions(self, topic: str) -> int:
        """As the brokers say it; 0 until each of them has a leader."""
        found = self.kafka.list_topics(topic, timeout=10).topics[topic].partitions.values()
        return len(found) if all(one.leader >= 0 for one in found) else 0

    def grow(self, topic: str, count: int) -> None:
        self.kafka.create_partitions([NewPartitions(topic, count)])[topic].result(30)
        wait_until(f"{topic} has {count} partitions", lambda: self.partitions(topic) == count)

    def start_in_vain(self) -> subprocess.CompletedProcess:
        program = [str(build.binary("slipway", self.server.preset)), "serve", "--roles", "gateway", "--config", str(self.server.config)]
        return subprocess.run(program, capture_output=True, text=True, timeout=60, stdin=subprocess.DEVNULL)

    def warnings(self) -> list[dict]:
        lines = [json.loads(line) for line in self.server.log.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if line.get("code") == "kafka.partitions_changed"]

    def close(self) -> None:
        self.server.stop()
        mine = [topic for topic in self.kafka.list_topics(timeout=10).topics if topic.startswith(PREFIX)]
        for done in self.kafka.delete_topics(mine).values():
            done.result(30)
        self.client.drop_database(PREFIX.rstrip("."))
        self.client.close()


@pytest.fixture
def site(stack, preset):
    one = Site(stack, preset)
    yield one
    one.close()


def test_F10_a_changed_partition_count_is_refused_or_warned_of_until_it_is_accepted(site):
    site.server.start()
    recorded = site.topics.find_one({"_id": STATS})
    assert recorded["partitions"] == 12 and recorded["cluster_id"], recorded
    site.server.stop()

    site.grow(ALERTS, 8)
    site.server.start()
    (warned,) = site.warnings()
    assert warned["level"] == "warn" and f"{ALERTS} has 8 partitions, recorded are 6" in warned["error"], warned
    assert f"remove the document {ALERTS}" in warned["hint"]
    site.server.stop()

    site.grow(STATS, 14)
    ended = site.start_in_vain()
    assert ended.returncode == 10, ended
    last = ended.stderr.splitlines()[-1]
    assert "kafka.partitions_changed" in last and f"{STATS} has 14 partitions, recorded are 12" in last and f"remove the document {STATS}" in last
    assert f"{ALERTS} has 8" in ended.stderr, "both are named at once"

    site.topics.delete_one({"_id": STATS})
    site.server.start()
    assert site.topics.find_one({"_id": STATS})["partitions"] == 14

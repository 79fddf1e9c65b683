"""Does the world equal the journal? An answer by ordinary clients only (MongoDB, Kafka, the Engine's API), none of our code: what every test that kills,
stops or starves something asks at its end."""
import json
from collections import defaultdict

import confluent_kafka
import read_columns
from kit import Containers


def statuses(brokers: str, topic: str) -> dict[str, list[dict]]:
    """request_id -> every status message that was ever published for it, in the order of the partition."""
    consumer = confluent_kafka.Consumer({"bootstrap.servers": brokers, "group.id": "oracle", "enable.auto.commit": False, "isolation.level": "read_committed"})
    try:
        ends = {}
        for partition in consumer.list_topics(topic, timeout=10).topics[topic].partitions:
            low, high = consumer.get_watermark_offsets(confluent_kafka.TopicPartition(topic, partition), timeout=10)
            if high > low:
                ends[partition] = high
        consumer.assign([confluent_kafka.TopicPartition(topic, partition, confluent_kafka.OFFSET_BEGINNING) for partition in ends])
        found = defaultdict(list)
        while ends:
            message = consumer.poll(10)
            assert message is not None and not message.error(), f"{topic} cannot be read to its end: {message and message.error()}"
            status = json.loads(message.value())
            found[status["request_id"]].append(status)
            if message.offset() + 1 >= ends.get(message.partition(), 0):
                ends.pop(message.partition(), None)
        return found
    finally:
        consumer.close()


def _deployments(database, published: dict[str, list[dict]]) -> list[str]:
    wrong = []
    for document in database["deployments"].find():
        name, stages = document["_id"], document["stages"]
        say = lambda text: wrong.append(f"deployment {name} of {document['service_id']}: {text}")  # noqa: E731, B023
        if document.get("end") is None or document.get("open"):
            say(f"is not ended (end {document.get('end')}, open {document.get('open')})")
            continue
        if [stage["seq"] for stage in stages] != list(range(1, len(stages) + 1)):
            say(f"its seq are {[stage['seq'] for stage in stages]}")
        finals = [stage["seq"] for stage in stages if stage.get("final")]
        if finals != [len(stages)]:
            say(f"final are {finals} of {len(stages)}")
        elif stages[-1]["state"] != document["end"]:
            say(f"ended {document['end']}, its last stage says {stages[-1]['state']}")
        if document["published"] != len(stages):
            say(f"{document['published']} of {len(stages)} stages are published")
        said = defaultdict(list)
        for status in published.get(name, []):
            said[status["seq"]].append(status)
        if sorted(said) != list(range(1, len(stages) + 1)):
            say(f"on Kafka are seq {sorted(said)} of {len(stages)}")
        for stage in stages:
            for status in said.get(stage["seq"], []):
                if status["stage"] != stage["stage"] or status["state"] != stage["state"]:
                    say(f"seq {stage['seq']} says {status['stage']}/{status['state']} on Kafka and {stage['stage']}/{stage['state']} in the Repository")
    known = {document["_id"] for document in database["deployments"].find({}, {"_id": 1})}
    return wrong + [f"statuses of {name} are on Kafka, it has no document" for name in published if name not in known]


def _services(database, engines: dict[str, object], instance: str) -> list[str]:
    """`engines`: machine name -> Engine API."""
    wrong, wanted_ids, images = [], set(), set()
    found = {}
    for machine, api in engines.items():
        for container in Containers(api, instance).of(running=False):
            found[container["Id"]] = (machine, container)
    for lane in database["lanes"].find():
        service = lane["_id"]
        if lane.get("active") or lane.get("queue"):
            wrong.append(f"lane {service}: {lane.get('active')} is active, {lane.get('queue')} wait")
        mine = [(machine, one) for machine, one in found.values() if one["Config"]["Labels"].get("slipway.service") == service]
        running = [(machine, one) for machine, one in mine if one["State"]["Running"]]
        seen = [(machine, one["Name"], one["State"]["Status"]) for machine, one in mine]
        if lane["wanted"] == "running":
            places = sorted(machine for machine, _ in running)
            if places != sorted(lane["machines"]) or len(mine) != len(running):
                wrong.append(f"service {service}: wanted running on {lane['machines']}, there are {seen}")
            for machine, one in running:
                labels = one["Config"]["Labels"]
                if labels["slipway.release"] != str(lane["committed"]):
                    wrong.append(f"service {service}: release {labels['slipway.release']} runs, {lane['committed']} is committed")
                if one["HostConfig"]["RestartPolicy"]["Name"] != labels["slipway.restart"].partition(":")[0]:
                    wrong.append(f"service {service}: restart policy {one['HostConfig']['RestartPolicy']}, wanted {labels['slipway.restart']}")
                instance_document = database["instances"].find_one({"container_id": one["Id"]})
                if not instance_document or instance_document["state"] != "running" or instance_document["machine"] != machine:
                    wrong.append(f"service {service}: its container {one['Name']} runs, its instance says {instance_document}")
                images.add((machine, one["Image"]))
        elif running:
            wrong.append(f"service {service}: wanted {lane['wanted']}, and these run: {seen}")
        elif lane["wanted"] == "removed" and mine:
            wrong.append(f"service {service}: wanted removed, there are {seen}")
        if lane.get("committed") and not database["releases"].find_one({"service_id": service, "number": lane["committed"]}):
            wrong.append(f"service {service}: release {lane['committed']} is committed and has no document")
        wanted_ids |= {one["Id"] for _, one in mine}
    for identity, (machine, one) in found.items():
        role = one["Config"]["Labels"].get("slipway.role")
        if identity not in wanted_ids and role != "agent":
            wrong.append(f"{machine}: nobody wants the container {one['Name']} ({role})")
    for machine in engines:
        agents = [one["Name"] for where, one in found.values() if where == machine and one["Config"]["Labels"].get("slipway.role") == "agent"]
        if len(agents) != 1:
            wrong.append(f"{machine}: agents {agents}")
    for document in database["instances"].find({"service_id": {"$ne": "slipway-agent"}}):
        if document["state"] == "running" and document["container_id"] not in found:
            wrong.append(f"instance {document['_id']} runs, its container is not there")
    return wrong


def _samples(database) -> list[str]:
    wrong = []
    rows = defaultdict(list)
    for minute in database["samples_1s"].find():
        columns = read_columns.read(minute)
        for boot, seq in zip(columns["boot"], columns["seq"]):
            rows[minute["machine"], boot].append(seq)
    for (machine, boot), numbers in rows.items():
        numbers.sort()
        if len(set(numbers)) != len(numbers):
            wrong.append(f"samples of {machine} ({boot}) are stored twice")
        holes = [number for number, then in zip(numbers, numbers[1:]) if then != number + 1]
        if holes:
            wrong.append(f"samples of {machine} ({boot}): a hole after {holes[:5]}")
    return wrong


def problems(database, brokers: str, prefix: str, engines: dict[str, object], instance: str) -> list[str]:
    """Everything that is not as it should be once all work is done; empty if all is well."""
    return _deployments(database, statuses(brokers, f"{prefix}deployment.status")) + _services(database, engines, instance) + _samples(database)

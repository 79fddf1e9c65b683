"""A Node Manager of your own. Needs confluent-kafka, pymongo and the program `docker`; KAFKA_BROKERS and MONGODB_URI. It knows no TLS and checks an Engine only once."""
import json
import os
import signal
import subprocess
from datetime import datetime, timezone

from confluent_kafka import Consumer, Producer
from pymongo import MongoClient

brokers = {"bootstrap.servers": os.environ["KAFKA_BROKERS"]}
database = MongoClient(os.environ["MONGODB_URI"])[os.environ.get("SLIPWAY_DATABASE", "slipway")]
producer = Producer(brokers | {"enable.idempotence": True, "max.in.flight.requests.per.connection": 1, "partitioner": "murmur2_random"})
consumer = Consumer(brokers | {"group.id": "slipway.node_manager", "enable.auto.commit": False, "auto.offset.reset": "earliest", "session.timeout.ms": 10000})


def say(topic: str, machine: str, message: dict | None) -> None:
    producer.produce(topic, message and json.dumps(message, default=datetime.isoformat), key=machine,
                     headers={"ce_id": f"{machine}:{datetime.now()}", "ce_source": "/node_manager"})


def look(endpoint: str) -> dict:
    """What the Engine says of itself; nothing if it does not answer."""
    form = '{"engine":"{{.Server.Version}}","api":"{{.Server.APIVersion}}","os":"{{.Server.Os}}","arch":"{{.Server.Arch}}","kernel":"{{.Server.KernelVersion}}"}'
    done = subprocess.run(["timeout", "10", "docker", "-H", endpoint, "version", "--format", form], capture_output=True, text=True)
    return json.loads(done.stdout) if done.returncode == 0 else {}


def act(name: str, action: str, endpoint: str, origin: str, there: dict | None) -> tuple[dict | None, str, str]:
    """The machine as it shall be from now on, and the code and the words of a refusal."""
    if action == "add" and there:
        return there, "machine.conflict" if there["docker"] != endpoint else "", f"{name} is registered with {there['docker']}"
    if action == "add" and endpoint.startswith(("unix://", "tcp://")):
        new = {"name": name, "docker": endpoint, "origin": origin, "registered_at": datetime.now(timezone.utc), "facts": look(endpoint)}
        return new, "" if new["facts"] else "machine.unreachable", f"the Engine at {endpoint} does not answer"
    if action != "remove" or not there:
        return there, "machine.unknown" if action == "remove" else "request.action", f"{action} {name} {endpoint}: cannot be done"
    used = database.instances.distinct("service_id", {"machine": name, "state": "running", "service_id": {"$ne": "slipway-agent"}})
    return there if used else None, "machine.in_use" if used else "", f"{name} runs {', '.join(used)}"


signal.signal(signal.SIGTERM, lambda *_: (consumer.close(), exit(0)))  # leaves the group at once
consumer.subscribe(["slipway.machine.requests"])
while True:
    message = consumer.poll(1.0)
    try:
        wish = dict(json.loads(message.value()))
        name, action, endpoint = str(wish["machine"]), str(wish["action"]), str(wish.get("docker", ""))
    except (AttributeError, KeyError, TypeError, ValueError):  # nothing came, or nothing that can be read
        continue
    there = database.machines.find_one({"_id": name}, {"_id": False})
    machine, code, words = act(name, action, endpoint, wish.get("origin", "person"), there)
    if not code:  # the document is what the Deployment Manager opens, the registry what all others read; null takes it back
        database.machines.replace_one({"_id": name}, machine, upsert=True) if machine else database.machines.delete_one({"_id": name})
        say("slipway.machine.registry", name, machine)
    reply = {"request_id": f"m-{message.partition()}-{message.offset()}"} | {key: wish[key] for key in ("request_id", "machine", "correlation_id") if key in wish}
    say("slipway.machine.replies", name, reply | {"registered": machine, "unchanged": machine == there, "error": {"code": code, "message": words} if code else None})
    if producer.flush(30) == 0:
        consumer.commit(message, asynchronous=False)  # only after the effect

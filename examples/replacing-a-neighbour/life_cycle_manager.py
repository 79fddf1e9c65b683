"""A Service Life Cycle Manager of your own: it keeps the contract, so nobody notices. Needs confluent-kafka and pymongo, KAFKA_BROKERS and MONGODB_URI."""
import json
import os
import signal
from datetime import datetime, timezone

from confluent_kafka import Consumer, Producer
from pymongo import MongoClient

AFTER = {"deploy": "running", "start": "running", "restart": "running", "rollback": "running", "stop": "stopped", "remove": "removed"}
WISHES, REPLIES, REQUESTS, STATUS = "slipway.service.requests", "slipway.service.replies", "slipway.deployment.requests", "slipway.deployment.status"
brokers = {"bootstrap.servers": os.environ["KAFKA_BROKERS"]}
database = MongoClient(os.environ["MONGODB_URI"])[os.environ.get("SLIPWAY_DATABASE", "slipway")]
producer = Producer(brokers | {"enable.idempotence": True, "max.in.flight.requests.per.connection": 1, "partitioner": "murmur2_random"})
consumer = Consumer(brokers | {"group.id": "slipway.life_cycle_manager", "enable.auto.commit": False, "auto.offset.reset": "earliest", "session.timeout.ms": 10000})


def say(topic: str, message: dict) -> None:
    producer.produce(topic, json.dumps(message), key=message["service_id"], headers={
        "ce_id": f"{message['request_id']}:{topic}", "ce_source": "/life_cycle_manager", "ce_type": topic + ".v1", "ce_specversion": "1.0",
        "ce_time": datetime.now(timezone.utc).isoformat(), "ce_subject": message["service_id"], "content-type": "application/json"})


def pass_on(wish: dict, place: str) -> None:
    """A person's wish becomes a request under the same id, or is refused."""
    wish.setdefault("request_id", place)  # the same id if the wish is delivered again
    known = wish.get("action", "deploy") in {*AFTER, "cancel"} and isinstance(wish.get("service_id"), str)
    error = None if known else {"code": "request.action", "message": "no such action, or no service_id", "hint": "one of " + " ".join(AFTER) + " cancel"}
    if known:
        say(REQUESTS, wish)
    say(REPLIES, {"request_id": wish["request_id"], "service_id": str(wish.get("service_id")), "accepted": known, "error": error,
                  "correlation_id": wish.get("correlation_id", "")})


def remember(status: dict) -> None:
    """The state of each service follows from what the Deployment Manager says."""
    request = database.deployments.find_one({"_id": status["request_id"]}) or {}
    action = request.get("request", {}).get("action", "deploy")
    state = "deploying"
    if status["final"]:
        state = AFTER.get(action, "running") if status["state"] in ("succeeded", "warning") else "completed" if status["state"] == "completed" else "failed"
        if state == "failed" and status["serving"]:
            state = "running"
    fields = {"service_id": status["service_id"], "state": state, "last_request": status["request_id"], "since": datetime.now(timezone.utc)}
    fields |= {"serving": status["serving"], "machine": status["machine"] or "", "last_error": (status["error"] or {}).get("message", "")}
    database.services.update_one({"_id": status["service_id"]}, {"$set": fields}, upsert=True)


signal.signal(signal.SIGTERM, lambda *_: (consumer.close(), exit(0)))  # leaves the group at once
consumer.subscribe([WISHES, STATUS])
while True:
    message = consumer.poll(1.0)
    try:
        value = dict(json.loads(message.value()))
    except (AttributeError, TypeError, ValueError):  # nothing came, or nothing that can be read
        continue
    remember(value) if message.topic() == STATUS else pass_on(value, f"w-{message.partition()}-{message.offset()}-{message.timestamp()[1]}")
    if producer.flush(30) == 0:
        consumer.commit(message, asynchronous=False)  # only after the effect

"""Writes each reading of its sensor to a topic of its own, and only then commits: what is in that topic was processed, what was not is read again."""
import json
import os
import signal
import sys
import threading

from confluent_kafka import Consumer, KafkaException, Producer

stopping = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stopping.set())
with open("/run/slipway/kafka.properties") as file:
    kafka = dict(line.strip().split("=", 1) for line in file if "=" in line and not line.startswith("#"))
producer = Producer(kafka | {"enable.idempotence": True, "max.in.flight.requests.per.connection": 1, "linger.ms": 0})
consumer = Consumer(kafka | {
    "group.id": os.environ["SLIPWAY_KAFKA_GROUP"], "group.instance.id": os.environ["SLIPWAY_KAFKA_GROUP_INSTANCE"], "session.timeout.ms": 10000,
    "enable.auto.commit": False, "auto.offset.reset": "earliest"})
refused = []
consumer.subscribe([os.environ["SLIPWAY_SENSOR_NUMBERS_TOPIC"]])
print("recording", os.environ["SLIPWAY_SENSOR_NUMBERS_TOPIC"], flush=True)
while not stopping.is_set():
    messages = [message for message in consumer.consume(50, 0.2) if not message.error()]
    for message in messages:
        reading = {"reading": json.loads(message.value()), "release": int(os.environ["SLIPWAY_RELEASE"]), "partition": message.partition(), "offset": message.offset()}
        producer.produce(os.environ["OUT"], json.dumps(reading), on_delivery=lambda error, _: error and refused.append(error))
    if messages:
        undelivered = producer.flush(10)
        if refused:  # flush() counts what is under way, not what failed: read again by the next process
            sys.exit(f"not delivered: {refused[0]}")
        if undelivered == 0:
            try:
                consumer.commit(asynchronous=False)
            except KafkaException as error:  # Kafka is away: the next commit counts, or they are read again
                print("not committed:", error, flush=True)
consumer.close()

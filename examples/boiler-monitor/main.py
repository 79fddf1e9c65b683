"""Reads one sensor's topic and shows the last reading. What Slipway gives a service is in its environment and below /run/slipway."""
import html
import json
import os
import signal
import threading
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from confluent_kafka import Consumer

TOPIC = os.environ["SLIPWAY_SENSOR_AIR_TOPIC"]
stopping = threading.Event()
last = {"service": os.environ["SLIPWAY_SERVICE"], "release": int(os.environ["SLIPWAY_RELEASE"]), "topic": TOPIC, "readings": 0, "reading": None, "at": None}


def kafka_settings() -> dict[str, str]:
    """The client settings of this site: brokers, and what they want to see (TLS, passwords)."""
    lines = Path("/run/slipway/kafka.properties").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and not line.startswith("#"))


def read_sensor() -> None:
    consumer = Consumer(kafka_settings() | {
        "group.id": os.environ["SLIPWAY_KAFKA_GROUP"],  # the next release goes on where this one ends
        "group.instance.id": os.environ["SLIPWAY_KAFKA_GROUP_INSTANCE"],  # and need not wait for this one's place to become free
        "session.timeout.ms": 10000,
        "auto.offset.reset": "earliest",
        "enable.auto.offset.store": False,
        "auto.commit.interval.ms": 1000,
    })
    consumer.subscribe([TOPIC])
    while not stopping.is_set():
        message = consumer.poll(0.5)
        if message is None:
            continue
        if message.error():
            print(f"kafka: {message.error()}", flush=True)
            continue
        last.update(readings=last["readings"] + 1, at=datetime.now(timezone.utc).isoformat(timespec="milliseconds"))
        try:
            last["reading"] = json.loads(message.value())
        except ValueError:
            print(f"not JSON, skipped: {message.value()!r}", flush=True)
        consumer.store_offsets(message)  # only now: a reading counts as read once it was dealt with
    consumer.close()


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        if self.path == "/healthz":
            return self.answer(200 if reader.is_alive() else 503, "text/plain", "reading\n" if reader.is_alive() else "the reader ended\n")
        if self.path != "/":
            return self.answer(404, "text/plain", "/ or /healthz\n")
        text = json.dumps(last, indent=1)
        if "text/html" in self.headers.get("Accept", ""):
            return self.answer(200, "text/html; charset=utf-8", f'<meta http-equiv="refresh" content="1"><h1>boiler room</h1><pre>{html.escape(text)}</pre>\n')
        return self.answer(200, "application/json", text + "\n")

    def answer(self, status: int, kind: str, text: str) -> None:
        body = text.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, *_) -> None:
        pass


reader = threading.Thread(target=read_sensor, name="reader")
server = ThreadingHTTPServer(("", 8080), Page)
signal.signal(signal.SIGTERM, lambda *_: (stopping.set(), threading.Thread(target=server.shutdown).start()))
reader.start()
print(f"boiler-monitor {last['release']} reads {TOPIC}, answers on :8080", flush=True)
server.serve_forever()
reader.join()

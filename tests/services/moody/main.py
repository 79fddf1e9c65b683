"""A small service for journeys. MOOD says how it behaves: good, dies_at_start, dies_after_answer, never_answers."""
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

MOOD = os.environ.get("MOOD", "good")
WORD = os.environ.get("WORD", "hello")


def die() -> None:
    time.sleep(0.3)
    print("the boiler has no pressure", flush=True)
    print("giving up", flush=True)
    os._exit(9)


class Page(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = json.dumps({"word": WORD, "release": os.environ.get("SLIPWAY_RELEASE"), "env": dict(os.environ)}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        if MOOD == "dies_after_answer":
            threading.Thread(target=die).start()

    def log_request(self, *_) -> None:
        pass


print(f"{WORD}, in a {MOOD} mood", flush=True)
if MOOD == "dies_at_start":
    print("the boiler has no pressure", flush=True)
    print("giving up", flush=True)
    sys.exit(3)
if MOOD == "never_answers":
    threading.Event().wait()
ThreadingHTTPServer(("", 8080), Page).serve_forever()

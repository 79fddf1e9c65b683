"""A steady load: a fixed part of each 100 ms is spent computing, counted by the process's own clock so that a busy machine does not make it less."""
import os
import time

SHARE = float(os.environ.get("SHARE", "0.3"))
BALLAST = bytearray(int(os.environ.get("MEGABYTES", "64")) * 1_000_000)
for place in range(0, len(BALLAST), 4096):
    BALLAST[place] = 1
print("burning", SHARE, flush=True)
while True:
    begun, spent = time.monotonic(), time.process_time()
    while time.process_time() - spent < 0.1 * SHARE:
        sum(range(1000))
    time.sleep(max(0.0, begun + 0.1 - time.monotonic()))

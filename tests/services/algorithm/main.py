"""Runs once: prints what it found and ends with CODE."""
import os
import sys

print("looked at 1000 readings", flush=True)
print("the mean is 42", flush=True)
sys.exit(int(os.environ.get("CODE", "0")))

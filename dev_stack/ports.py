"""Ports that are free now."""
import socket


def is_free(host: str, port: int) -> bool:
    with socket.socket() as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            s.bind((host, port))
        except OSError:
            return False
    return True


def choose(host: str, preferred: int, taken: set[int] = frozenset()) -> int:
    """The preferred port if it is free, else the next free one above it."""
    for port in range(preferred, min(preferred + 2000, 65000)):
        if port not in taken and is_free(host, port):
            return port
    raise OSError(f"no free port on {host} from {preferred} on")


def answers(host: str, port: int) -> bool:
    try:
        with socket.create_connection((host, port), timeout=1):
            return True
    except OSError:
        return False

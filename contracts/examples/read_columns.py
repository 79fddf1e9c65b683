"""Reads the binary columns of samples_1s and container_samples_1s: the format is in docs/contracts.md, section Samples.

    from pymongo import MongoClient
    from read_columns import read
    minute = MongoClient(uri).slipway.samples_1s.find_one({"machine": "edge-1"}, sort=[("minute", -1)])
    columns = read(minute)
    print(columns["t"][0], columns["cpu.used"][0], columns["net.eth0.rx_bps"][0])
"""
import struct
import sys


class Cursor:
    def __init__(self, data: bytes):
        self.data, self.at = data, 0

    def take(self, count: int) -> bytes:
        if self.at + count > len(self.data):
            raise ValueError("the columns are cut off")
        self.at += count
        return self.data[self.at - count:self.at]

    def varint(self) -> int:
        value = shift = 0
        while True:
            byte = self.take(1)[0]
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    def text(self) -> str:
        return self.take(self.varint()).decode()

    def integers(self, count: int) -> list[int]:
        """Each is stored as its difference from the one before it, zigzag, modulo 2**64."""
        values, last = [], 0
        for _ in range(count):
            raw = self.varint()
            last = (last + ((raw >> 1) ^ -(raw & 1)) + 2**63) % 2**64 - 2**63
            values.append(last)
        return values


def decode(data: bytes) -> dict[str, list]:
    """Column name -> one value per row, None where the row has none. "boot" and "seq" number a row, "t" is in ms since the epoch."""
    cursor = Cursor(bytes(data))
    if cursor.take(4) != b"SLC1":
        raise ValueError("these bytes are no columns")
    boots = [cursor.text() for _ in range(cursor.varint())]
    rows = cursor.varint()
    columns: dict[str, list] = {"boot": [boots[cursor.varint()] for _ in range(rows)]}
    columns["seq"] = cursor.integers(rows)
    columns["t"] = cursor.integers(rows)
    for _ in range(cursor.varint()):
        name, form, partial = cursor.text(), cursor.take(1)[0], cursor.take(1)[0]
        there = [True] * rows
        if partial:
            bitmap = cursor.take((rows + 7) // 8)
            there = [bool(bitmap[row // 8] >> row % 8 & 1) for row in range(rows)]
        count = sum(there)
        if form == 255:
            values = iter(struct.unpack(f"<{count}d", cursor.take(8 * count)))
        else:
            values = (value / 10**form for value in cursor.integers(count))
        columns[name] = [next(values) if one else None for one in there]
    if cursor.at != len(cursor.data):
        raise ValueError("there is more than the columns")
    return columns


def read(document: dict) -> dict[str, list]:
    """The columns of a document of samples_1s or container_samples_1s."""
    return decode(document["columns"])


if __name__ == "__main__":  # the columns of one minute as a table: read_columns.py MONGODB_URI MACHINE [METRIC...]
    from pymongo import MongoClient

    newest = MongoClient(sys.argv[1]).get_default_database("slipway").samples_1s.find_one({"machine": sys.argv[2]}, sort=[("minute", -1)])
    if newest is None:
        sys.exit(f"there are no samples of {sys.argv[2]}")
    table = read(newest)
    names = ["t"] + (sys.argv[3:] or ["cpu.used", "mem.available"])
    print("\t".join(names))
    for row in zip(*(table[name] for name in names)):
        print("\t".join(map(str, row)))

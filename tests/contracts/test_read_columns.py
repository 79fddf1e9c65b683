"""The documented reader of the columns reads what the server writes: the golden minute is checked against the C++ side in src/ports/stores/columns_test.cpp."""
import importlib.util
import json
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "contracts" / "examples"
BYTES = bytes.fromhex((EXAMPLES / "columns" / "minute.hex").read_text())
WANTED = json.loads((EXAMPLES / "columns" / "minute.json").read_text())


@pytest.fixture(scope="module")
def reader():
    spec = importlib.util.spec_from_file_location("read_columns", EXAMPLES / "read_columns.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_golden_minute(reader):
    assert reader.decode(BYTES) == WANTED
    assert reader.read({"columns": BYTES}) == WANTED


def test_bytes_that_are_cut_off_or_longer_are_refused(reader):
    for length in range(len(BYTES)):
        with pytest.raises((ValueError, IndexError)):
            reader.decode(BYTES[:length])
    with pytest.raises(ValueError):
        reader.decode(BYTES + b"x")

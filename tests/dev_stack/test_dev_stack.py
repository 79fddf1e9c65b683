"""What ./dev promises and no journey would notice."""
import os
import socket
import subprocess
import sys

import pytest

from dev_stack import base, packages, ports, process, server, stack, suites


def results(tmp_path, cases: str):
    path = tmp_path / "results.xml"
    path.write_text(f"<testsuites><testsuite>{cases}</testsuite></testsuites>")
    return suites.read_junit("unit", path)


def test_a_skipped_test_is_a_failure(tmp_path):
    counts = results(tmp_path, '<testcase classname="a" name="b"/><testcase classname="a" name="c"><skipped message="no Kafka"/></testcase>')
    assert (counts.passed, counts.failed) == (1, 1)
    assert "a.c was skipped" in counts.problems[0]


def test_a_suite_that_ran_nothing_is_a_failure(tmp_path):
    assert results(tmp_path, "").failed == 1
    assert suites.read_junit("unit", tmp_path / "missing.xml").failed == 1


def test_ctest_results_are_told_apart(tmp_path):
    counts = results(tmp_path, '<testcase name="a" status="run"/><testcase name="b" status="fail"><failure/></testcase><testcase name="c" status="notrun"/>')
    assert (counts.passed, counts.failed) == (1, 2)


def test_only_the_very_process_that_was_started_is_signalled(tmp_path):
    own = process.start(["sleep", "100"], tmp_path / "log")
    try:
        assert own.alive()
        stranger = process.Process(own.pid, own.started + 1, own.boot)  # the pid was given to another one
        stranger.kill()
        assert own.alive() and not stranger.alive()
        assert not process.Process(own.pid, own.started, "another boot").alive()
    finally:
        own.kill()
    assert not own.alive()


def test_a_process_outlives_the_one_that_started_it(tmp_path):
    code = f"from dev_stack import process; from pathlib import Path; print(process.start(['sleep', '100'], Path({str(tmp_path / 'log')!r})).pid)"
    pid = int(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(base.ROOT)}).stdout)
    left = process.Process.of(pid)
    assert left.alive()
    left.kill()


def test_processes_without_record_are_found_by_own_paths(tmp_path):
    own = process.start(["sh", "-c", "sleep 100; true", str(tmp_path / "data")], tmp_path / "log")
    try:
        assert own in process.with_argument(f"{tmp_path}/", "sleep")
        assert process.with_argument(f"{tmp_path}/", "kafka.Kafka") == []
    finally:
        own.kill()


def test_a_port_in_use_is_passed_over():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        assert not ports.is_free("127.0.0.1", port)
        assert ports.choose("127.0.0.1", port) > port


def test_values_that_own_stacks_printed_are_not_the_users(tmp_path, monkeypatch):
    monkeypatch.setattr(stack, "STATE", tmp_path)
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "env").write_text("export KAFKA_BROKERS='10.77.9.1:9092'\n")
    one = stack.Stack("dev")
    monkeypatch.setenv("KAFKA_BROKERS", "10.77.9.1:9092")
    assert one.given("KAFKA_BROKERS") is None
    monkeypatch.setenv("KAFKA_BROKERS", "broker.example:9092")
    assert one.given("KAFKA_BROKERS") == "broker.example:9092"


def test_the_list_of_packages_is_sorted_and_each_says_what_it_is_for():
    lines = [line.split() for line in packages.LIST.read_text().splitlines() if not line.startswith("#")]
    assert all(len(line) == 2 and line[1] in ("run", "stack", "test") for line in lines)
    assert len({name for name, _ in lines}) == len(lines)


def test_another_distribution_is_told_the_way_out(tmp_path, monkeypatch):
    release = tmp_path / "os-release"
    release.write_text('ID=fedora\nVERSION_ID="41"\nPRETTY_NAME="Fedora Linux 41"\n')
    monkeypatch.setattr(packages, "OS_RELEASE", release)
    with pytest.raises(base.Failed) as failure:
        packages.check_system()
    assert "Fedora Linux 41" in str(failure.value) and "--no-packages" in failure.value.hint


def test_settings_are_written_as_yaml():
    assert server._yaml({"a": "x", "b": {"c": ["1", "2"], "d": {"e": 1}}}) == 'a: "x"\nb:\n  c: ["1", "2"]\n  d:\n    e: 1\n'


def test_help_names_every_command():
    shown = subprocess.run([base.ROOT / "dev", "help"], capture_output=True, text=True, check=True).stdout
    for command in ("up", "down", "env", "slipway", "check", "test", "bench", "stack"):
        assert f"./dev {command}" in shown


def test_an_unknown_command_ends_with_2():
    assert subprocess.run([base.ROOT / "dev", "upp"], capture_output=True).returncode == 2

"""One server, three Engines: by unix socket, by TCP and by TCP with TLS; and every way in which TLS must say no."""
import json
import shutil

import pytest
from kit import Containers, fresh, wait_until, write_folder

from dev_stack import engine as engines, images
from dev_stack.base import run
from dev_stack.network import Bridge
from dev_stack.tls import Authority

META = {"image": images.MINIMAL, "command": ["sh", "-c", "sleep 100000"], "user": "1000:1000", "healthcheck": "none", "update": {"healthy_for": "200ms"},
        "stop_grace_period": "1s"}


@pytest.fixture(scope="module")
def plain(lend_machine):
    with lend_machine() as made:
        yield made


@pytest.fixture(scope="module")
def guarded(stack):
    made = engines.create(stack, "m3", tls=True)
    stack.api.copy_image_to(made.api, images.MINIMAL)
    yield made
    made.remove()


@pytest.fixture
def credentials(server):
    """credentials("edge", folder): the server knows these under that name."""

    def put(name: str, folder) -> str:
        shutil.copytree(folder, server.folder / "credentials" / name, dirs_exist_ok=True)
        return name

    return put


def added(slipway, name: str, *arguments: str) -> dict:
    """What `machine add` says."""
    done = slipway("machine", "add", name, *arguments, "-o", "json")
    return json.loads(done.stdout) | {"exit": done.returncode}


def test_services_on_a_unix_a_tcp_and_a_tls_engine(stack, slipway, bus, containers, plain, guarded, credentials, here, tmp_path):
    tcp, tls, name = fresh("tcp"), fresh("tls"), fresh("three")
    credentials("edge", guarded.credentials)
    assert added(slipway, tcp, plain.endpoint)["exit"] == 0
    assert added(slipway, tls, guarded.endpoint, "--tls", "edge")["exit"] == 0
    places = {here: containers, tcp: Containers(plain.api, stack.instance), tls: Containers(guarded.api, stack.instance)}
    for machine, there in places.items():
        service = f"{name}-{machine[:3]}"
        folder = write_folder(tmp_path / service, {"service.json": json.dumps({"name": service, **META})})
        done = slipway("deploy", folder, "--machine", machine)
        assert done.returncode == 0, done.stdout + done.stderr
        assert there.one(service)["State"]["Running"]
        assert [m for m, others in places.items() if others.of(service, running=False)] == [machine]
    assert wait_until("the TLS machine's agent sends", lambda: next(m for m in json.loads(slipway("machine", "ls", "-o", "json").stdout) if m["name"] == tls)["state"] == "up", 30)
    for machine in places:
        assert bus.request({"service_id": f"{name}-{machine[:3]}", "action": "remove"})[-1]["state"] == "succeeded"
    assert not bus.ask("machine", {"action": "remove", "machine": tls}).get("error")


def test_a_tls_engine_is_refused_by_authority_name_and_client(stack, slipway, repository, guarded, credentials, tmp_path):
    stranger = Authority(tmp_path / "stranger", "stranger")
    mine = guarded.credentials
    stranger.issue(tmp_path / "unknown_to_it", "slipway")
    (tmp_path / "unknown_to_it" / "ca.pem").write_bytes((mine / "ca.pem").read_bytes())
    shutil.copytree(mine, tmp_path / "pinned_elsewhere")
    (tmp_path / "pinned_elsewhere" / "ca.pem").write_bytes(stranger.ca.read_bytes())
    shutil.copytree(mine, tmp_path / "without_key")
    (tmp_path / "without_key" / "key.pem").unlink()
    for name in ("unknown_to_it", "pinned_elsewhere", "without_key"):
        credentials(name, tmp_path / name)
    credentials("edge", mine)
    machine = fresh("refused")

    def refused(code: str, words: str, endpoint: str, *arguments: str) -> None:
        said = added(slipway, machine, endpoint, *arguments)
        assert said["exit"] != 0 and said["code"] == code and words in said["message"], said
        assert repository["machines"].find_one({"_id": machine, "removed": {"$ne": True}}) is None

    refused("tls.refused", "certificate", guarded.endpoint, "--tls", "pinned_elsewhere")
    refused("tls.refused", "alert", guarded.endpoint, "--tls", "unknown_to_it")
    refused("tls.credentials", "key.pem", guarded.endpoint, "--tls", "without_key")
    refused("tls.credentials", "ca.pem", guarded.endpoint, "--tls", "never_made")
    # The same Engine at an address that its certificate does not name.
    other = Bridge(guarded.bridge).host(guarded.last + 100)
    run(["nsenter", f"--net=/var/run/netns/{guarded.namespace}", "ip", "addr", "add", f"{other}/24", "dev", "eth0"], root=True)
    run(["nsenter", f"--net=/var/run/netns/{guarded.namespace}", "iptables", "-t", "nat", "-A", "PREROUTING", "-d", other, "-p", "tcp", "--dport", "2376",
         "-j", "DNAT", "--to-destination", guarded.address], root=True)
    refused("tls.refused", "IP address mismatch", f"tcp://{other}:2376", "--tls", "edge")
    # And none of it by leaving TLS out.
    said = added(slipway, machine, guarded.endpoint)
    assert said["exit"] != 0, said

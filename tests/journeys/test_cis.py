"""Section 5 of the CIS Docker Benchmark (1.3.1), a test per check, over services of every kind and the agent. What is excepted is named where it is."""
import json
import threading

import pytest
from kit import fresh, put_source, request_id, wait_until

from dev_stack import images

SLEEP, SERVE = "sleep 100000", "mkdir -p /tmp/www && echo ok >/tmp/www/index.html && httpd -f -p 8080 -h /tmp/www"
# What each kind adds to a meta file with `image`; the word before the first "-" is its name.
KINDS = {
    "plain": {},
    "root": {"user": None},
    "http": {"command": SERVE, "ports": ["0:8080"], "healthcheck": {"http": "/", "port": 8080}},
    "tcp": {"command": SERVE, "ports": ["0:8080"], "read_only": True},
    "test": {"healthcheck": {"test": ["true"]}},
    "volume": {"volumes": ["data:/var/lib/data"], "user": None},
    "alone": {"network": "none", "read_only": True},
    "retries": {"restart": "on-failure:5", "resources": {"cpus": 0.25, "memory": "64M", "pids": 32}, "env": {"A": "b"}},
    "dockerfile": {"image": None, "build": {"dockerfile": "Dockerfile"}},
    "python": {"image": None, "runtime": "python@3.11", "command": "python3 main.py", "user": None},
}
OWN_ROOT = {"root", "volume"}  # of an `image:`: said as a warning at deployment
WRITABLE = set(KINDS) - {"tcp", "alone"}  # read_only was not asked for
WITHOUT_CHECK = {"plain", "root", "volume", "alone", "retries", "dockerfile", "python"}  # neither a check nor a port


def meta(name: str, kind: str) -> dict:
    wanted = {"name": name, "image": images.MINIMAL, "user": "1000:1000", "command": SLEEP, "update": {"healthy_for": "500ms"}, "stop_grace_period": "1s"} | KINDS[kind]
    if "ports" not in wanted and "healthcheck" not in wanted:
        wanted["healthcheck"] = "none"
    if isinstance(wanted["command"], str) and "runtime" not in wanted:
        wanted["command"] = ["sh", "-c", wanted["command"]]
    return {key: value for key, value in wanted.items() if value is not None}


class Execs(threading.Thread):
    """What is run inside our containers meanwhile, as the Engine knows it."""

    def __init__(self, containers):
        super().__init__(daemon=True)
        self.containers, self.seen, self.done = containers, {}, threading.Event()

    def run(self):
        while not self.done.wait(0.05):
            for one in self.containers.of():
                for exec_id in one["ExecIDs"] or []:
                    try:
                        self.seen[exec_id] = self.containers.api.call("GET", f"/exec/{exec_id}/json")["ProcessConfig"]
                    except Exception as gone:  # noqa: BLE001  it ended: the next one is seen
                        if getattr(gone, "status", None) != 404:
                            raise


@pytest.fixture(scope="module")
def all_kinds(_server, stack, repository, containers):
    """{kind: inspected container} of ten services that were deployed at once, with "agent" among them; and what was run in them."""
    from kit import Bus  # noqa: PLC0415

    _server.start()
    bus = Bus(stack.env()["KAFKA_BROKERS"])
    if repository["machines"].find_one({"_id": "here"}) is None:
        assert not bus.ask("machine", {"action": "add", "machine": "here", "docker": stack.docker_host}).get("error")
    names = {kind: fresh(f"cis-{kind}") for kind in KINDS}
    files = {"main.py": "import time\ntime.sleep(100000)\n", "Dockerfile": f"FROM {images.MINIMAL}\nUSER 1000:1000\n"}
    wishes = [{"request_id": request_id(), "service_id": name, "machine": "here",
               "path": put_source(repository, f"{name}/1", files | {"service.json": json.dumps(meta(name, kind))})} for kind, name in names.items()]
    status = bus.watch("slipway.deployment.status")
    execs = Execs(containers)
    execs.start()
    bus.kcat("slipway.deployment.requests", *wishes)
    for wish in wishes:
        told = status.until(f"the end of {wish}", lambda v, w=wish: v["request_id"] == w["request_id"] and v["final"], 180)["value"]
        assert told["state"] in ("succeeded", "warning"), told
    execs.done.set()
    execs.join()
    yield {kind: containers.one(name) for kind, name in names.items()} | {"agent": containers.agent()}, execs.seen
    for name in names.values():
        bus.request({"service_id": name, "action": "remove"})
    for volume in containers.api.call("GET", "/volumes")["Volumes"] or []:
        if names["volume"] in volume["Name"]:  # data outlives its service
            containers.api.call("DELETE", f"/volumes/{volume['Name']}")
    bus.close()


@pytest.fixture(scope="module")
def ours(all_kinds) -> dict:
    assert len(all_kinds[0]) == 11 and all(all_kinds[0].values())
    return all_kinds[0]


def kinds(ours: dict, wrong) -> set[str]:
    """Which of them a check finds fault with."""
    return {kind for kind, one in ours.items() if wrong(one["HostConfig"], one["Config"], one)}


@pytest.fixture(scope="module")
def host(local) -> set[str]:
    """Security modules that this machine's Engine has."""
    return {option.split(",")[0].removeprefix("name=") for option in local.call("GET", "/info")["SecurityOptions"]}


def test_5_1_apparmor(ours, host):
    assert kinds(ours, lambda h, c, one: "apparmor" in host and one.get("AppArmorProfile") in ("", "unconfined", None)) == set()


def test_5_2_selinux(ours, host):
    assert kinds(ours, lambda h, c, one: "selinux" in host and not one.get("ProcessLabel")) == set()


def test_5_3_capabilities(ours):
    assert kinds(ours, lambda h, c, one: [cap.upper() for cap in h["CapDrop"] or []] != ["ALL"] or h["CapAdd"]) == set()


def test_5_4_not_privileged(ours):
    assert kinds(ours, lambda h, c, one: h["Privileged"]) == set()


def test_5_5_no_writable_host_folders(ours):
    assert kinds(ours, lambda h, c, one: h["Binds"] or any(mount["Type"] == "bind" and mount["RW"] for mount in one["Mounts"])) == set()
    assert kinds(ours, lambda h, c, one: any(mount["Type"] == "bind" for mount in one["Mounts"])) <= {"agent"}


def test_5_6_no_sshd(ours, local):
    running = {kind: json.dumps(local.call("GET", f"/containers/{one['Id']}/top")["Processes"]) for kind, one in ours.items()}
    assert all(running.values()) and not [kind for kind, processes in running.items() if kind != "agent" and "sshd" in processes]


def test_5_7_5_8_only_the_ports_that_were_asked_for(ours):
    published = {kind: {int(entry["HostPort"]) for entries in one["NetworkSettings"]["Ports"].values() for entry in entries or []} for kind, one in ours.items()}
    assert {kind for kind, ports in published.items() if ports} == {"http", "tcp"}
    assert all(port >= 1024 for ports in published.values() for port in ports)


def test_5_9_host_network(ours):
    assert kinds(ours, lambda h, c, one: h["NetworkMode"] == "host") == {"agent"}


def test_5_10_5_11_5_28_memory_cpu_and_pids_are_limited(ours):
    assert kinds(ours, lambda h, c, one: h["Memory"] <= 0 or h["MemorySwap"] != h["Memory"]) == set()
    assert kinds(ours, lambda h, c, one: h["NanoCpus"] <= 0) == set()
    assert kinds(ours, lambda h, c, one: (h["PidsLimit"] or 0) <= 0) == set()


def test_5_12_read_only_root(ours):
    assert kinds(ours, lambda h, c, one: not h["ReadonlyRootfs"]) == WRITABLE


def test_5_13_published_on_one_address(ours):
    assert kinds(ours, lambda h, c, one: any(entry["HostIp"] in ("", "0.0.0.0", "::") for entries in one["NetworkSettings"]["Ports"].values() for entry in entries or [])) == set()


def test_5_14_restart_policy(ours):
    assert kinds(ours, lambda h, c, one: (h["RestartPolicy"]["Name"], h["RestartPolicy"]["MaximumRetryCount"]) != ("on-failure", 5)) == set(ours) - {"retries"}
    assert kinds(ours, lambda h, c, one: h["RestartPolicy"]["Name"] not in ("always", "on-failure")) == set()


def test_5_15_5_16_5_20_5_30_namespaces(ours):
    assert kinds(ours, lambda h, c, one: h["PidMode"] == "host") == {"agent"}
    assert kinds(ours, lambda h, c, one: h["CgroupnsMode"] == "host") == {"agent"}
    assert kinds(ours, lambda h, c, one: h["IpcMode"] not in ("private", "none", "")) == set()
    assert kinds(ours, lambda h, c, one: h["UTSMode"] == "host" or h["UsernsMode"] == "host") == set()


def test_5_17_5_18_no_devices_and_no_other_ulimits(ours):
    assert kinds(ours, lambda h, c, one: h["Devices"] or h.get("DeviceRequests") or h["Ulimits"]) == set()


def test_5_19_mounts_are_not_shared(ours):
    assert kinds(ours, lambda h, c, one: any("shared" in mount.get("Propagation", "") for mount in one["Mounts"])) == set()


def test_5_21_seccomp(ours, host):
    assert "seccomp" in host
    assert kinds(ours, lambda h, c, one: any("unconfined" in option for option in h["SecurityOpt"] or [])) == set()


def test_5_22_5_23_nothing_is_run_inside_with_more_rights(all_kinds):
    seen = all_kinds[1].values()
    assert seen, "the wait for health was seen"
    assert [process for process in seen if process.get("privileged") or process.get("user", "").split(":")[0] in ("0", "root")] == []


def test_5_24_cgroup(ours):
    assert kinds(ours, lambda h, c, one: h["CgroupParent"]) == set()


def test_5_25_no_new_privileges(ours):
    assert kinds(ours, lambda h, c, one: not any(option in ("no-new-privileges", "no-new-privileges:true", "no-new-privileges=true") for option in h["SecurityOpt"] or [])) == set()


def test_5_26_health_is_checked(ours):
    unchecked = kinds(ours, lambda h, c, one: not c.get("Healthcheck") or c["Healthcheck"]["Test"][0] == "NONE")
    assert unchecked == WITHOUT_CHECK | {"agent"}


def test_5_27_images_are_exact(ours):
    assert kinds(ours, lambda h, c, one: ":" not in c["Image"] or c["Image"].endswith(":latest")) == set()


def test_5_29_not_on_docker0(ours, local, stack):
    assert kinds(ours, lambda h, c, one: h["NetworkMode"] in ("default", "bridge", "") or "bridge" in one["NetworkSettings"]["Networks"]) == set()
    [own] = {h for kind, one in ours.items() if (h := one["HostConfig"]["NetworkMode"]) not in ("host", "none")}
    assert local.call("GET", f"/networks/{own}")["Labels"] == {"slipway.instance": stack.instance}


def test_5_31_no_socket_of_the_engine(ours):
    assert kinds(ours, lambda h, c, one: "docker.sock" in json.dumps([one["Mounts"], h["Binds"]])) == set()


def test_root_only_where_the_image_says_so(ours):
    assert kinds(ours, lambda h, c, one: c["User"].split(":")[0] in ("", "0", "root")) == OWN_ROOT


def test_a_network_that_was_pruned_is_joined_again(must_deploy, bus, local, containers, stack, lend_machine, slipway, repository, remove):
    """On an Engine of its own: nobody else's network is taken away."""
    with lend_machine() as engine:
        machine, name = fresh("pruned"), fresh("cis-back")
        assert slipway("machine", "add", machine, engine.endpoint).returncode == 0
        path = put_source(repository, f"{name}/1", {"service.json": json.dumps(meta(name, "plain"))})
        assert bus.request({"service_id": name, "machine": machine, "path": path})[-1]["state"] == "succeeded"
        assert bus.request({"service_id": name, "action": "stop"})[-1]["state"] == "succeeded"
        before = wait_until("it is stopped", lambda: [c for c in engine.api.containers(f"slipway.service={name}") if c["State"] == "exited"])[0]
        engine.api.call("POST", "/networks/prune")
        assert bus.request({"service_id": name, "action": "start"})[-1]["state"] == "succeeded"
        after = engine.api.inspect(before["Id"])
        assert after["State"]["Running"] and after["NetworkSettings"]["Networks"][after["HostConfig"]["NetworkMode"]]["IPAddress"]

"""A Kafka broker (KRaft, one node) from Maven's jars: one listener on loopback, one on the bridge, which server and containers both use."""
import base64
import fcntl
import os
from pathlib import Path

from . import ports, process
from .base import TOOLS, machine_lock, run, wait_for

VERSION = "4.1.0"
RECIPE = Path(__file__).with_name("kafka")
LIBS = TOOLS / f"kafka-{VERSION}"


def install() -> bool:
    """Fetches the jars once per clone; false if they were there."""
    TOOLS.mkdir(parents=True, exist_ok=True)
    with open(TOOLS / "kafka.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if (LIBS / "complete").exists():
            return False
        run(["mvn", "-q", "-B", "-f", RECIPE / "pom.xml", "dependency:copy-dependencies", "-DincludeScope=runtime", f"-DoutputDirectory={LIBS}"],
            log=TOOLS / "maven.log", hint="Maven must reach its repository; behind a proxy: ~/.m2/settings.xml")
        (LIBS / "complete").touch()
        return True


class Kafka:
    """One broker. `record` is the stack's own part of its state file: process, ports; whoever owns it stores it after a change.
    With `users` (name -> password) `brokers` asks for one of them (SASL PLAIN) and allows nobody anything that no ACL says; whoever reaches
    `local_brokers`, on loopback, is the administrator."""

    def __init__(self, folder: Path, address: str, record: dict, users: dict[str, str] | None = None):
        self.users = users or {}
        self.folder = folder / "kafka"
        self.log = folder / "logs" / "kafka.log"
        self.address = address
        self.record = record

    @property
    def brokers(self) -> str:
        return f"{self.address}:{self.record['bridge_port']}"

    @property
    def local_brokers(self) -> str:
        return f"127.0.0.1:{self.record['local_port']}"

    @property
    def process(self) -> process.Process | None:
        return process.Process.from_json(self.record.get("process"))

    def alive(self) -> bool:
        return self.process is not None and self.process.alive()

    def start(self, preferred: int = 9092) -> bool:
        """Starts the broker on its data and waits until it answers; false if it ran already."""
        if self.alive() and self.record.get("address") == self.address:
            return False
        self.stop()
        with machine_lock("ports"):  # until it listens, another clone's broker could choose the same ones
            self._start(preferred)
        return True

    def _start(self, preferred: int) -> None:
        self._choose_ports(preferred)
        self.record["address"] = self.address
        config = self._write_config()
        java = ["java", "-Xms128m", "-Xmx512m", f"-Dlog4j2.configurationFile={RECIPE / 'log4j2.properties'}", "-cp", f"{LIBS}/*"]
        if not (self.folder / "data" / "meta.properties").exists():
            random_id = base64.urlsafe_b64encode(b"\x00" + os.urandom(15)).decode().rstrip("=")
            run([*java, "kafka.tools.StorageTool", "format", "--cluster-id", random_id, "--config", config, "--ignore-formatted"])
        started = process.start([*java, "kafka.Kafka", config], self.log)
        self.record["process"] = started.to_json()
        wait_for("Kafka", self._answers, 60, alive=started.alive, log=self.log)

    def _answers(self) -> bool:
        return (ports.answers(self.address, self.record["bridge_port"])
                and run(["kcat", "-L", "-m", "2", "-b", self.local_brokers if self.users else self.brokers], check=False).returncode == 0)

    def stop(self) -> None:
        if self.process:
            self.process.stop(20)
            self.record.pop("process", None)

    def kill(self) -> None:
        if self.process:
            self.process.kill()

    def _choose_ports(self, preferred: int) -> None:
        """Keeps the ports of the last run where they are free: clients that are still there find the broker again."""
        before = dict(self.record)
        bridge = ports.choose(self.address, before.get("bridge_port", preferred))
        local = ports.choose("127.0.0.1", before.get("local_port", preferred + 10000), {bridge})  # Kafka refuses one port number on two addresses
        self.record["bridge_port"], self.record["local_port"] = bridge, local
        self.record["controller_port"] = ports.choose("127.0.0.1", before.get("controller_port", local + 1), {bridge, local})

    def _write_config(self) -> Path:
        self.folder.mkdir(parents=True, exist_ok=True)
        public = f"LOCAL://{self.local_brokers},BRIDGE://{self.brokers}"
        controller = f"127.0.0.1:{self.record['controller_port']}"
        settings = {
            "process.roles": "broker,controller",
            "node.id": 1,
            "controller.quorum.voters": f"1@{controller}",
            "controller.listener.names": "CONTROLLER",
            "inter.broker.listener.name": "LOCAL",
            "listeners": f"{public},CONTROLLER://{controller}",
            "advertised.listeners": public,
            "listener.security.protocol.map": "LOCAL:PLAINTEXT,BRIDGE:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self.folder / "data",
            "auto.create.topics.enable": "false",
            "group.initial.rebalance.delay.ms": 0,
            "group.min.session.timeout.ms": 1000,  # a killed member is missed sooner, where a test asks for it
            "offsets.topic.replication.factor": 1,
            "offsets.topic.num.partitions": 10,
            "transaction.state.log.replication.factor": 1,
            "transaction.state.log.min.isr": 1,
            "transaction.state.log.num.partitions": 5,
            "share.coordinator.state.topic.replication.factor": 1,
            "share.coordinator.state.topic.min.isr": 1,
        }
        if self.users:
            known = " ".join(f'user_{name}="{password}"' for name, password in self.users.items())
            settings |= {
                "listener.security.protocol.map": "LOCAL:PLAINTEXT,BRIDGE:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT",
                "listener.name.bridge.sasl.enabled.mechanisms": "PLAIN",
                "listener.name.bridge.plain.sasl.jaas.config": f"org.apache.kafka.common.security.plain.PlainLoginModule required {known};",
                "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
                "super.users": "User:ANONYMOUS",
            }
        path = self.folder / "server.properties"
        path.touch(0o600)
        path.write_text("".join(f"{key}={value}\n" for key, value in settings.items()))
        return path

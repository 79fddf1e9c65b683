"""An installation of its own on the stack's Kafka, Repository and Engine: own topics, own database, own instance. Tests that kill servers work on several side by
side and disturb nobody."""
import json
import time

import oracle
import pymongo
import yaml
from kit import Bus, Containers, fresh, put_source, request_id, wait_until

from dev_stack import images
from dev_stack.server import Server

# What a service needs that only sleeps: nothing is built, it is soon healthy and soon gone.
SLEEPER = {"image": images.MINIMAL, "command": ["sleep", "100000"], "user": "65532", "healthcheck": "none", "stop_grace_period": "1s",
           "update": {"healthy_for": "200ms", "deadline": "30s"}}


def sleeper(name: str, **meta) -> dict:
    """Its files; `meta` goes over its service.yaml."""
    return {"service.yaml": yaml.safe_dump({"name": name} | SLEEPER | meta, sort_keys=False)}


def built_sleeper(name: str, *steps: str) -> dict:
    """The same with an image of its own, made by these lines of a Dockerfile."""
    meta = {key: value for key, value in SLEEPER.items() if key not in ("image", "user")} | {"name": name, "build": {"dockerfile": "Dockerfile"}}
    return {"service.yaml": yaml.safe_dump(meta), "Dockerfile": "\n".join([f"FROM {images.MINIMAL}", *steps, "USER 65532:65532\n"])}


class Site:
    MACHINE = "here"

    def __init__(self, stack, preset: str, name: str, engine=None, settings: dict | None = None, kafka=None, repository=None):
        """`engine`: one of make_machine's instead of the machine's own; `kafka`, `repository`: of the test's own instead of the stack's. The server comes to its
        own Kafka by loopback, agents, services and the test by the bridge."""
        self.stack = stack
        self.preset = preset
        self.name = name
        self.instance = f"{stack.instance}-{name}"
        self.prefix = f"{fresh(name)}."  # topics stay until the stack goes
        self.engine = engine
        self.api = engine.api if engine else stack.api
        self.endpoint = engine.endpoint if engine else stack.docker_host
        self.more = settings or {}
        self.bus = Bus(kafka.brokers if kafka else stack.env()["KAFKA_BROKERS"])
        self.peers = {"kafka": {"brokers": kafka.local_brokers, "machine_brokers": kafka.brokers} if kafka else {},
                      "mongodb": {"uri": repository.uri} if repository else {}}
        self.client = pymongo.MongoClient(repository.uri if repository else stack.env()["MONGODB_URI"], directConnection=True, tz_aware=True)
        self.database = self.client[f"site_{name}"]
        self.engine_says = Containers(self.api, self.instance)
        self.servers: dict[str, Server] = {}
        self.client.drop_database(self.database.name)  # of a run that was killed
        self.api.purge(self.instance)

    def server(self, name: str = "a") -> Server:
        """A server with all roles and a state folder of its own."""
        if name not in self.servers:
            kafka = {"topic_prefix": self.prefix, "properties": {"session.timeout.ms": "1500"}} | self.peers["kafka"]
            settings = {"instance": self.instance, "mongodb": {"database": self.database.name} | self.peers["mongodb"], "kafka": kafka}
            for key, value in self.more.items():
                settings[key] = {**settings.get(key, {}), **value} if isinstance(value, dict) else value
            self.servers[name] = Server(self.stack, self.preset, f"site-{self.name}-{name}", settings=settings)
        return self.servers[name]

    def ask(self, service_id: str, **fields) -> str:
        """Puts a deployment request on Kafka; returns its id."""
        wish = {"request_id": request_id(), "service_id": service_id, **fields}
        self.bus.kcat(f"{self.prefix}deployment.requests", wish)
        return wish["request_id"]

    def put(self, service_id: str, files: dict) -> str:
        return put_source(self.database, f"{service_id}/{request_id()}", files)

    def document(self, wish: str) -> dict | None:
        return self.database["deployments"].find_one({"_id": wish})

    def wait_end(self, wish: str, seconds: float) -> dict:
        return wait_until(f"the end of {wish} in {self.name}", lambda: (found := self.document(wish)) and found.get("end") and found, seconds)

    def ask_to_deploy(self, service_id: str, files: dict) -> str:
        """On this site's machine."""
        return self.ask(service_id, path=self.put(service_id, files), machine={"name": self.MACHINE, "docker": self.endpoint})

    def must_end_well(self, wish: str, seconds: float = 90) -> dict:
        done = self.wait_end(wish, seconds)
        assert done["end"] in ("succeeded", "warning"), done["stages"][-1]
        return done

    def must_deploy(self, service_id: str, files: dict, seconds: float = 90) -> dict:
        return self.must_end_well(self.ask_to_deploy(service_id, files), seconds)

    def is_building(self, wish: str) -> bool:
        found = self.document(wish)
        return bool(found and found["stages"]) and (found["stages"][-1]["stage"], found["stages"][-1]["state"]) == ("built", "running")

    def containers(self, service_id: str) -> list[dict]:
        return self.engine_says.of(service_id, running=False)

    def must_be_well(self, seconds: float = 30) -> None:
        """Neither the oracle nor `slipway doctor --check` has anything to say, within that time."""
        deadline = time.monotonic() + seconds
        while True:
            wrong = oracle.problems(self.database, self.bus.brokers, self.prefix, {self.MACHINE: self.api}, self.instance) or self.findings()
            if not wrong:
                return
            assert time.monotonic() < deadline, f"{self.name}: the world is not as the journal says:\n" + "\n".join(wrong)
            time.sleep(0.5)

    def findings(self) -> list[str]:
        """What `slipway doctor --check` finds, asked of a server that lives: code and place of each."""
        asked = next(server for server in self.servers.values() if server.alive() and not server.process.stopped()).cli("doctor", "--check", "-o", "json")
        if asked.returncode not in (0, 1):
            return [f"doctor --check ended with {asked.returncode}: {asked.stdout}{asked.stderr}"]
        told = json.loads(asked.stdout)
        assert told["ok"] == (asked.returncode == 0) == (not told["findings"]), asked
        return [f"{one['code']} {one['where']}: {one['what']}" for one in told["findings"]]

    def close(self) -> None:
        for server in self.servers.values():
            server.kill()
        self.bus.close()
        self.api.purge(self.instance)
        self.client.drop_database(self.database.name)
        self.client.close()

    def status(self) -> dict:
        answer = self.server().cli("status", "-o", "json")
        return json.loads(answer.stdout)

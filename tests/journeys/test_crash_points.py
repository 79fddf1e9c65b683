"""kill -9 at each point of the crash table, twice in a row: the deployment ends as if nothing had happened, once. The points are those that the program names."""
import json
import queue
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from installation import Site
from kit import Containers, fresh, wait_until

from dev_stack import build, images

WORKERS = 4
HEALTHY = 3  # s, of build and health, on a loaded machine
BOUND = {"same": 30, "other": 60}
SERVING = {"same": 5, "other": 40}  # until something serves again, where the old container is stopped


def points() -> list[str]:
    try:
        listed = subprocess.run([build.binary("slipway", "dev"), "failpoints", "-o", "json"], capture_output=True, check=True, timeout=20)
    except Exception as missing:  # collected before anything is built, such as by an editor
        return [f"none: {missing}"]
    return [point["name"] for point in json.loads(listed.stdout)]


def files(name: str, word: str) -> dict:
    """A service whose image is built in a second, with a sensor that is asked for and not there."""
    meta = f"""\
name: {name}
build: {{dockerfile: Dockerfile}}
command: [sleep, "100000"]
stop_grace_period: 1s
update: {{healthy_for: 200ms, deadline: 30s}}
sensors:
  - {{name: nothing, type: nothing-such, required: false}}
"""
    return {"service.yaml": meta, "Dockerfile": f"FROM {images.MINIMAL}\nCOPY word /word\nRUN cat /word\nUSER 65532:65532\n", "word": word}


class Crash:
    """One point, one way of coming back: what happened."""

    def __init__(self, site: Site, point: str, way: str):
        self.site, self.point, self.way = site, point, way
        self.service = fresh(f"c-{point.replace('_', '-')}")[:40]

    def run(self) -> None:
        site, server = self.site, self.site.server("a")
        server.start()
        site.must_deploy(self.service, files(self.service, "one"))
        self.old = site.containers(self.service)[0]
        server.stop()
        server.hits.unlink(missing_ok=True)

        armed = f"{self.point}@{self.service}:kill*2"
        server.start(failpoints=armed)
        begun = time.time()
        self.wish = site.ask(self.service, path=site.put(self.service, files(self.service, "two")), machine=site.MACHINE)
        wait_until(f"killed at {self.point}", lambda: not server.alive(), 60, every=0.02)
        server.start(failpoints=armed)
        wait_until(f"killed at {self.point} again", lambda: not server.alive(), 60, every=0.02)
        self.hits = server.hits.read_text().splitlines()
        if self.way == "other":
            server = site.server("b")
        restarted = time.time()
        server.start()
        if self.point == "old_stopped":
            wait_until("something serves again", lambda: any(c["State"]["Running"] for c in site.containers(self.service)), SERVING[self.way] + 5)
            self.served_after = time.time() - restarted
        self.end = site.wait_end(self.wish, BOUND[self.way] + HEALTHY + 15)
        self.took = time.time() - restarted
        site.must_be_well()
        made = Containers(site.api, site.instance).events(begun, time.time(), type="container", event="create")
        self.creates = [name for event in made if f".{self.service}-" in (name := event["Actor"]["Attributes"].get("name", ""))]
        self.left = site.containers(self.service)
        server.kill()


@pytest.fixture(scope="module")
def crashes(request, stack, preset):
    """All points, both ways, on four installations side by side: most of the time is waiting for a lease."""
    sites = queue.SimpleQueue()
    made = [Site(stack, preset, f"crash{i}") for i in range(WORKERS)]
    for site in made:
        sites.put(site)

    def run(point: str, way: str) -> Crash:
        site = sites.get()
        try:
            one = Crash(site, point, way)
            one.run()
            return one
        finally:
            for server in site.servers.values():
                server.kill()
            sites.put(site)

    wanted = [(item.callspec.params["point"], item.callspec.params["way"]) for item in request.session.items if item.path == request.path]
    with ThreadPoolExecutor(WORKERS) as pool:
        yield {one: pool.submit(run, *one) for one in wanted}
        pool.shutdown(cancel_futures=True)
    for site in made:
        site.close()


@pytest.mark.parametrize("way", BOUND)
@pytest.mark.parametrize("point", points())
def test_the_deployment_ends_once_after_two_kills_at(point, way, crashes):
    crash = crashes[point, way].result(timeout=400)
    assert [hit.split()[:2] for hit in crash.hits] == [[point, crash.service]] * 2, "hit twice"
    assert crash.end["end"] in ("succeeded", "warning"), crash.end["stages"][-1]
    assert crash.took < BOUND[way] + HEALTHY, f"{crash.took:.1f} s"
    if point == "old_stopped":
        assert crash.served_after < SERVING[way] + 1, f"{crash.served_after:.1f} s"
    assert len(crash.left) == 1 and crash.left[0]["Id"] != crash.old["Id"]
    assert crash.left[0]["Config"]["Labels"]["slipway.request"] == crash.wish
    assert len(crash.creates) == 1, f"created {crash.creates}"

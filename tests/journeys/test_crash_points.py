"""At each point of the crash table the server is killed twice in a row and comes back, itself or another; or it is stopped and another takes over; or the Engine is
killed under it (F27, F51). The deployment ends as if nothing had happened, once. The points are those that the program names."""
import json
import queue
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from installation import Site
from kit import fresh, wait_until

from dev_stack import build, images

WORKERS = 4
ENGINES = 2
HEALTHY = 3  # s, of build and health, on a loaded machine
BOUND = {"same": 30, "other": 60, "stopped": 60, "engine": 30}
SERVING = {"same": 5, "other": 40, "stopped": 40, "engine": 5}  # until something serves again, where the old container is stopped


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
    """One point, one way of losing something there and coming back: what happened."""

    def __init__(self, site: Site, point: str, way: str):
        self.site, self.point, self.way = site, point, way
        self.service = fresh(f"c-{point.replace('_', '-')}")[:40]
        self.server = site.server("a")

    def run(self) -> None:
        site = self.site
        self.server.start()
        site.must_deploy(self.service, files(self.service, "one"))
        self.old = site.containers(self.service)[0]
        self.server.stop()
        self.server.hits.unlink(missing_ok=True)
        self.begun = time.time()
        survivor = {"same": self.kill_twice, "other": self.kill_twice, "stopped": self.stop_and_take_over, "engine": self.lose_the_engine}[self.way]()
        self.hits = self.server.hits.read_text().splitlines()
        if self.point == "old_stopped":
            wait_until("something serves again", lambda: any(c["State"]["Running"] for c in site.containers(self.service)), SERVING[self.way] + 15)
            self.served_after = time.time() - self.restarted
        self.end = site.wait_end(self.wish, BOUND[self.way] + HEALTHY + 15)
        self.took = time.time() - self.restarted
        if self.way == "stopped":
            self.server.process.thaw()  # it finds that others went on without it
        site.must_be_well()
        made = site.engine_says.events(self.begun, time.time(), type="container", event="create")
        self.creates = [name for event in made if f".{self.service}-" in (name := event["Actor"]["Attributes"].get("name", ""))]
        self.left = site.containers(self.service)
        survivor.kill()

    def arm(self, effect: str) -> None:
        self.server.start(failpoints=f"{self.point}@{self.service}:{effect}")

    def ask(self) -> None:
        self.wish = self.site.ask(self.service, path=self.site.put(self.service, files(self.service, "two")), machine=self.site.MACHINE)

    def kill_twice(self):
        self.arm("kill*2")
        self.ask()
        wait_until(f"killed at {self.point}", lambda: not self.server.alive(), 60, every=0.02)
        self.arm("kill*2")
        wait_until(f"killed at {self.point} again", lambda: not self.server.alive(), 60, every=0.02)
        survivor = self.server if self.way == "same" else self.site.server("b")
        self.restarted = time.time()
        survivor.start()
        return survivor

    def stop_and_take_over(self):
        self.arm("stop*1")
        self.ask()
        wait_until(f"stopped at {self.point}", self.server.process.stopped, 60, every=0.02)
        self.restarted = time.time()
        self.site.server("b").start()
        return self.site.server("b")

    def lose_the_engine(self):
        self.arm("stop*1")
        self.ask()
        wait_until(f"stopped at {self.point}", self.server.process.stopped, 60, every=0.02)
        self.site.engine.kill()
        self.site.engine.restart()  # returns at its first answer
        self.restarted = time.time()
        self.server.process.thaw()
        return self.server


@pytest.fixture(scope="module")
def crashes(request, stack, preset, make_machine):
    """All points, all ways, on several installations side by side: most of the time is waiting for a lease."""
    wanted = [(item.callspec.params["point"], item.callspec.params["way"]) for item in request.session.items if item.path == request.path]
    free = {"engine": queue.SimpleQueue(), "server": queue.SimpleQueue()}
    sites = []
    for number in range(WORKERS):
        sites.append(Site(stack, preset, f"crash{number}"))
        free["server"].put(sites[-1])
    for number in range(ENGINES if any(way == "engine" for _, way in wanted) else 0):
        sites.append(Site(stack, preset, f"lost{number}", engine=make_machine(f"lost{number}", with_images=(images.MINIMAL,))))
        free["engine"].put(sites[-1])

    def run(point: str, way: str) -> Crash:
        pool = free["engine" if way == "engine" else "server"]
        site = pool.get()
        try:
            one = Crash(site, point, way)
            one.run()
            return one
        finally:
            for server in site.servers.values():
                server.kill()
            pool.put(site)

    with ThreadPoolExecutor(WORKERS + ENGINES) as pool:
        # Those with an Engine of their own first: they are few side by side and must not wait for the end.
        order = sorted(wanted, key=lambda one: one[1] != "engine")
        yield {one: pool.submit(run, *one) for one in order}
        pool.shutdown(cancel_futures=True)
    for site in sites:
        site.close()


@pytest.mark.timeout(1500)  # the first one waits for all that run beside it
@pytest.mark.parametrize("way", BOUND)
@pytest.mark.parametrize("point", points())
def test_the_deployment_ends_once(point, way, crashes):
    crash = crashes[point, way].result()
    hits = 2 if way in ("same", "other") else 1
    assert [hit.split()[:2] for hit in crash.hits][:hits] == [[point, crash.service]] * hits, "hit so often"
    assert crash.end["end"] in ("succeeded", "warning"), crash.end["stages"][-1]
    assert crash.took < BOUND[way] + HEALTHY, f"{crash.took:.1f} s"
    if point == "old_stopped":
        assert crash.served_after < SERVING[way] + 1, f"{crash.served_after:.1f} s"
    assert len(crash.left) == 1 and crash.left[0]["Id"] != crash.old["Id"]
    assert crash.left[0]["Config"]["Labels"]["slipway.request"] == crash.wish
    if way != "engine":  # that forgets its events with its end
        assert len(crash.creates) == 1, f"created {crash.creates}"

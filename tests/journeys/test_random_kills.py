"""A hundred kills -9 at random while fifty requests are open: each request ends once, and the world is as the journal says."""
import random
import time

import pytest
from installation import Site
from kit import fresh, wait_until

from dev_stack import images

KILLS = 100
SERVICES = 25
REQUESTS = 50
SECONDS = (0.3, 2.5)  # between two kills; the server is ready after about one


def files(name: str, word: str) -> dict:
    return {"service.yaml": f"name: {name}\nimage: {images.MINIMAL}\ncommand: [sleep, '100000']\nenv: {{WORD: {word}}}\n"
                            "stop_grace_period: 1s\nupdate: {healthy_for: 200ms, deadline: 30s}\n"}


@pytest.fixture
def site(stack, preset):
    made = Site(stack, preset, "random")
    yield made
    made.close()


@pytest.mark.timeout(900)
def test_F49_a_hundred_kills_while_fifty_requests_are_open(site):
    seed = int(time.time())
    chance = random.Random(seed)
    print(f"seed {seed}")
    server = site.server()
    server.start()
    names = [fresh("rnd") for _ in range(SERVICES)]
    site.must_deploy(names[0], files(names[0], "zero"))

    wishes, killed = [], 0
    for killed in range(1, KILLS + 1):
        if len(wishes) < REQUESTS and killed % 2:  # all of them are on their way before the last kills
            for name in chance.sample(names, 2):
                wishes.append(site.ask(name, path=site.put(name, files(name, f"w{len(wishes)}")), machine=site.MACHINE))
        time.sleep(chance.uniform(*SECONDS))  # a random moment is the subject
        server.kill()
        if killed < KILLS:
            server.start(failpoints="ended@nobody:kill")  # not waited for
    assert len(wishes) == REQUESTS
    server.start()
    for wish in wishes:
        assert site.wait_end(wish, 180)["end"] in ("succeeded", "warning", "superseded"), f"seed {seed}: {site.document(wish)['stages'][-1]}"
    wait_until("every service is there", lambda: all(len(site.containers(one["_id"])) == 1 for one in site.database["lanes"].find()), 60)
    site.must_be_well(60)
    counted = site.database["deployments"].count_documents({"_id": {"$in": wishes}})
    assert counted == REQUESTS, f"seed {seed}: {counted} of {REQUESTS} requests have a document"

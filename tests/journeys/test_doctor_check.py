"""`slipway doctor --check` says that the world is as the journal says, and names each thing that is not: the oracle, which uses none of our code, agrees."""
import oracle
import pytest
from installation import Site
from kit import fresh, wait_until

from dev_stack import images


@pytest.fixture(scope="module")
def site(stack, preset):
    made = Site(stack, preset, "doctor", settings={"reconcile": {"period": "1s"}})
    yield made
    made.close()


def files(name: str, word: str) -> dict:
    return {"service.yaml": f"name: {name}\nimage: {images.MINIMAL}\ncommand: [sleep, '100000']\nenv: {{WORD: {word}}}\nhealthcheck: none\n"
                            "volumes: ['data:/data']\nstop_grace_period: 1s\nupdate: {healthy_for: 200ms}\n"}


def test_what_is_not_as_the_journal_says_is_named(site):
    site.server().start()
    name = fresh("seen")
    site.must_deploy(name, files(name, "one"))
    wish = site.must_deploy(name, files(name, "two"))["_id"]
    site.must_be_well()
    done = site.document(wish)
    well = site.server().cli("doctor", "--check")
    assert (well.returncode, "as the journal says" in well.stdout) == (0, True), well

    deployments, labels = site.database["deployments"], {"slipway.instance": site.instance}
    stray = site.api.call("POST", "/containers/create", {"name": f"{site.instance}.stray"}, body={"Image": images.MINIMAL, "Labels": labels})["Id"]
    volume = site.api.call("POST", "/volumes/create", body={"Name": f"{site.instance}.gone.data", "Labels": labels | {"slipway.service": "gone"}})["Name"]
    deployments.update_one({"_id": done["_id"]}, {"$pull": {"stages": {"seq": 2}}})
    site.database["lanes"].update_one({"_id": name}, {"$set": {"previous": 77}})
    try:
        told = site.server().cli("doctor", "--check")
        assert told.returncode == 1, told
        named = {line.split("(")[-1].split(")")[0]: line for line in told.stdout.splitlines() if "Fix: " in line}
        found = sorted(one.split(" ")[0] for one in site.findings())
        assert found == ["container.unknown", "deployment.messages", "deployment.stages", "deployment.unpublished", "release.missing", "volume.unknown"], told.stdout
        for code, place in (("container.unknown", f"here/{site.instance}.stray"), ("volume.unknown", volume), ("deployment.stages", done["_id"]), ("release.missing", name)):
            assert place in named[code], told.stdout
        agreed = "\n".join(oracle.problems(site.database, site.bus.brokers, site.prefix, {site.MACHINE: site.api}, site.instance))
        assert f"{site.instance}.stray" in agreed and done["_id"] in agreed, agreed
    finally:
        site.api.remove_container(stray)
        site.api.call("DELETE", f"/volumes/{volume}")
        deployments.replace_one({"_id": done["_id"]}, done)
        site.database["lanes"].update_one({"_id": name}, {"$set": {"previous": 1}})
    site.must_be_well()


def test_a_container_that_nobody_puts_back_is_named(site):
    """While the server that heals is stopped, another one without that role looks."""
    site.server().start()
    name = fresh("lost")
    site.must_deploy(name, files(name, "one"))
    site.must_be_well()
    site.server().stop()
    looker = site.server("looker")
    looker.roles = "gateway,monitoring_service,node_manager,heart_beat_manager"
    looker.start()
    container = site.containers(name)[0]
    site.api.remove_container(container["Id"])
    found = site.findings()
    assert any(one.startswith(f"container.missing here/{name}") for one in found), found
    assert any(one.startswith(f"instance.gone instance {name}-1-1@here") for one in found), found
    looker.stop()
    site.server().start()
    wait_until("it is put back, and all is well", lambda: not site.findings(), 60, every=1)

"""Deploying what runs already touches nothing."""
import time

from kit import fresh


def test_unchanged_source_touches_no_container(must_deploy, containers, bus, local, repository, remove):
    name = fresh("same")
    first = must_deploy("moody", name)
    before = containers.one(name)
    since = time.time()
    again = must_deploy("moody", name)  # another upload under another path, the same content
    until = time.time()

    assert again["unchanged"] is True and again["state"] == "succeeded"
    assert again["release"] == first["release"] == again["serving"]
    after = containers.one(name)
    assert (after["Id"], after["State"]["StartedAt"], after["Name"]) == (before["Id"], before["State"]["StartedAt"], before["Name"])
    ours = [event for event in containers.events(since, until, type="container") if event["Actor"]["Attributes"].get("slipway.service") == name]
    assert [event["Action"] for event in ours if not event["Action"].startswith(("exec_", "health_status"))] == []
    images = [event for event in containers.events(since, until, type="image") if name in str(event)]
    assert images == [], "nothing was built, tagged or untagged"
    assert repository["releases"].count_documents({"service_id": name}) == 1
    remove(name)


def test_a_changed_setting_is_a_new_release_on_a_new_container(must_deploy, containers, remove):
    name = fresh("changed")
    first = must_deploy("moody", name, env={"WORD": "one"})
    second = must_deploy("moody", name, env={"WORD": "two"})
    assert (first["release"], second["release"]) == (1, 2) and not second.get("unchanged")
    assert containers.one(name)["Name"].endswith(f"{name}-2-1")
    remove(name)

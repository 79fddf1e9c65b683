"""A promise with a test: readings 1, 2, 3 ... at 20 a second, and over deployments, rollbacks and a kill -9 of the server none is missing from what was processed."""

from kit import fresh, put_source, request_id, service, wait_until


def numbers(topic) -> list[int]:
    """The sensor's own count of each processed reading, in the order of processing."""
    return [message["value"]["reading"]["seq"] for message in topic.messages]


def test_no_hole_over_ten_deployments_two_rollbacks_and_a_kill(must_deploy, bus, server, repository, here, counter, containers, remove):
    name = fresh("recorder")
    out = f"{name}.out"
    must_deploy("recorder", name, env={"OUT": out, "ROUND": "1"}, topics=[out])
    processed = bus.watch(out, from_beginning=True)
    processed.until("the first reading", lambda v: True, 30)
    releases = []
    for round_number in range(2, 11):
        final = must_deploy("recorder", name, env={"OUT": out, "ROUND": str(round_number)}, topics=[out])
        assert not final.get("unchanged")
        releases.append(final["release"])
        if round_number in (4, 8):
            back = bus.request({"service_id": name, "action": "rollback"})[-1]
            assert back["state"] in ("succeeded", "warning"), back
            releases.append(back["release"])
        if round_number == 6:  # in the middle of a deployment
            wish = {"request_id": request_id(), "service_id": name, "machine": here,
                    "path": put_source(repository, f"{name}/killed", service("recorder", name, env={"OUT": out, "ROUND": "killed"}, topics=[out]))}
            status = bus.watch("slipway.deployment.status")
            bus.kcat("slipway.deployment.requests", wish)
            status.until("it is started", lambda v: v["request_id"] == wish["request_id"] and v["stage"] == "started", 60)
            server.kill()
            server.start()
            status.until("its end", lambda v: v["request_id"] == wish["request_id"] and v["final"], 60)
    processed.poll(1)
    last = containers.one(name)
    last_release = int(last["Config"]["Labels"]["slipway.release"])
    seen = len(processed.messages)
    wait_until("the last release reads too", lambda: processed.poll(0.2) is not None and any(m["value"]["release"] == last_release for m in processed.messages[seen:]), 30)

    found = numbers(processed)
    missing = sorted(set(range(min(found), max(found) + 1)) - set(found))
    assert missing == [], f"{len(missing)} readings of {max(found) - min(found) + 1} were lost, the first: {missing[:5]}"
    places: dict[int, set[int]] = {}
    for message in processed.messages:
        places.setdefault(message["value"]["partition"], set()).add(message["value"]["offset"])
    for partition, offsets in places.items():
        assert len(offsets) == max(offsets) - min(offsets) + 1, f"a record of partition {partition} was never processed"
    assert max(found) - min(found) > 20 * 30, "it was long enough to mean something"
    assert len({m["value"]["release"] for m in processed.messages}) >= 10, "most releases have processed something"
    remove(name)

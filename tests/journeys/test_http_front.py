"""The HTTP front of a server without users yet: it serves what editors and clients need, and only to this machine."""
import json

import pytest
import requests

from dev_stack.base import ROOT


def test_the_schema_and_the_description_are_served(server):
    schema = requests.get(f"{server.url}/schemas/service.v1.json", timeout=10)
    assert schema.status_code == 200 and schema.json() == json.loads((ROOT / "contracts" / "service.schema.json").read_text())
    assert requests.get(f"{server.url}/api/openapi.json", timeout=10).json()["openapi"].startswith("3.1")


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_it_says_that_it_lives(path, server):
    assert requests.get(server.url + path, timeout=10).status_code == 200


@pytest.mark.parametrize("headers", [{"Host": "evil.example"}, {"Origin": "http://evil.example"}])
def test_a_foreign_host_or_origin_is_refused(headers, server):
    assert requests.get(f"{server.url}/api/v1/status", headers=headers, timeout=10).status_code == 403


def test_a_mistake_is_a_problem_with_a_stable_code(server):
    answer = requests.get(f"{server.url}/api/v1/services/no-such-service", timeout=10)
    assert answer.status_code == 404 and answer.headers["Content-Type"].startswith("application/problem+json")
    assert answer.json()["code"]


def test_it_binds_to_loopback_only(server, stack):
    port = server.record["port"]
    with pytest.raises(requests.ConnectionError):
        requests.get(f"http://{stack.env()['DEV_STACK_ADDRESS']}:{port}/healthz", timeout=5)

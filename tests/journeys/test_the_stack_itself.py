"""The pieces that journeys stand on: without these, a red journey says nothing about Slipway."""
from kit import fresh, wait_until

from dev_stack import images


def test_a_further_engine_has_its_own_containers_and_reaches_the_broker(stack, local, make_machine):
    machine = make_machine(fresh("m"), (images.MINIMAL,))
    address = stack.env()["DEV_STACK_ADDRESS"]
    port = stack.env()["KAFKA_BROKERS"].rpartition(":")[2]
    made = machine.api.call("POST", "/containers/create", body={"Image": images.MINIMAL, "Cmd": ["sh", "-c", f"nc -w 5 {address} {port} </dev/null"]})
    machine.api.call("POST", f"/containers/{made['Id']}/start")
    code = machine.api.call("POST", f"/containers/{made['Id']}/wait")["StatusCode"]
    assert code == 0
    assert made["Id"] not in [c["Id"] for c in local.containers()]
    machine.remove()


def test_a_cut_and_a_killed_engine_come_back(make_machine):
    machine = make_machine(fresh("m"), ())
    machine.cut()
    assert not machine.api.answers()
    machine.mend()
    wait_until("the cable works again", machine.api.answers, 10)
    machine.kill_all()
    assert not machine.api.answers()
    machine.restart()
    assert machine.api.answers()
    machine.remove()


def test_the_repository_keeps_what_it_acknowledged(repository):
    repository["journey_probe"].insert_one({"_id": fresh("probe"), "n": 1})
    assert repository["journey_probe"].count_documents({"n": 1}) >= 1
    repository.drop_collection("journey_probe")

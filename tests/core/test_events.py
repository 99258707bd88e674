"""Events on a live server: delivered after commit, in order for each aggregate, again when a consumer fails."""

import pytest

from roadbed.core.events import list_failing, publish
from roadbed.kit.ids import new_id
from tests import steps as test_modules
from tests.support import RunningServer
from tests.waiting import wait_for


def tell(server: RunningServer, *events: test_modules.Noted, fails: bool = False) -> None:
    async def work() -> None:
        async with server.database.write() as session:
            for event in events:
                publish(session, event)
            if fails:
                raise LookupError("rolled back")

    if fails:
        with pytest.raises(LookupError):
            server.run(work())
    else:
        server.run(work())


def heard(aggregate: str) -> list[int]:
    return [event.number for event in test_modules.heard if event.of == aggregate]


def test_events_of_one_aggregate_arrive_in_order(server: RunningServer) -> None:
    name = str(new_id())
    for number in range(20):
        tell(server, test_modules.Noted(of=name, number=number))
    wait_for(lambda: len(heard(name)) == 20)
    assert heard(name) == list(range(20))


def test_event_of_a_rolled_back_transaction_is_never_told(server: RunningServer) -> None:
    name = str(new_id())
    tell(server, test_modules.Noted(of=name, number=1), fails=True)
    tell(server, test_modules.Noted(of=name, number=2))
    wait_for(lambda: heard(name) != [])
    assert heard(name) == [2]


def test_failing_consumer_is_shown_retried_and_blocks_only_its_aggregate(server: RunningServer) -> None:
    broken, healthy = str(new_id()), str(new_id())
    test_modules.broken.add(broken)
    tell(server, test_modules.Noted(of=broken, number=1), test_modules.Noted(of=broken, number=2))
    tell(server, test_modules.Noted(of=healthy, number=1))
    wait_for(lambda: heard(healthy) == [1])

    async def look() -> list[str]:
        async with server.database.read() as session:
            return [found.error for found in await list_failing(session) if found.aggregate == f"test:{broken}"]

    wait_for(lambda: server.run(look()) == [f"LookupError: {broken} is broken"])
    assert heard(broken) == []
    test_modules.broken.remove(broken)
    wait_for(lambda: len(heard(broken)) == 2)
    assert heard(broken) == [1, 2]

"""When locations are looked at: spread over time, never before their interval."""

from collections import Counter
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

import pytest

from roadbed.catalog.rules.schedule import MOST_SECONDS, find_due_at, longest_delay

AT = datetime(2026, 11, 27, 12, tzinfo=UTC)
IDS = [uuid5(UUID(int=0), str(number)) for number in range(600)]


@pytest.mark.parametrize(("interval", "most"), [(30, 6), (120, 24), (3600, 600), (86_400, 600), (2_592_000, 600)])
def test_look_comes_after_the_interval_and_within_the_bound(interval: int, most: int) -> None:
    assert longest_delay(interval) == most
    assert most <= MOST_SECONDS
    delays = [(find_due_at(one, AT, interval) - AT).total_seconds() - interval for one in IDS]
    assert min(delays) >= 0
    assert max(delays) < most
    assert max(delays) - min(delays) > most * 0.8


def test_locations_of_one_moment_are_spread_and_stay_so() -> None:
    looked = dict.fromkeys(IDS, AT)
    for _ in range(3):
        looked = {one: find_due_at(one, at, 3600) for one, at in looked.items()}
    minutes = Counter((at - AT) // timedelta(minutes=1) for at in looked.values())
    assert len(minutes) > 10
    assert max(minutes.values()) < len(IDS) / 5


def test_same_look_gives_the_same_time_and_the_next_one_another_delay() -> None:
    first = find_due_at(IDS[0], AT, 3600)
    assert first == find_due_at(IDS[0], AT, 3600)
    assert find_due_at(IDS[0], first, 3600) - first != first - AT
    assert first != find_due_at(IDS[1], AT, 3600)

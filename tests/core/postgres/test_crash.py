"""kill -9 under writes: whatever was acknowledged is there afterwards, and exactly one server runs."""

import os
import random
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import asyncpg
import pytest

from tests.core.postgres.support import Script, kill, list_postmasters, wait_for_end, wait_until

pytestmark = pytest.mark.anyio

ROUNDS = int(os.environ.get("ROADBED_CRASH_ROUNDS", "7"))
SEED = int(os.environ.get("ROADBED_CRASH_SEED", random.SystemRandom().randrange(10**6)))


class Home:
    """One folder with its server's parent and a writer."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.data_dir = folder / "postgres" / "data"
        self.acknowledged = folder / "acknowledged"
        self.parent = Script("run_server.py", folder)
        self.started = self.parent.read()
        self.url: str = self.started["url"]
        self.writer = Script("run_writer.py", self.url, self.acknowledged)

    def count_acknowledged(self) -> int:
        return len(self.read_acknowledged())

    def read_acknowledged(self) -> list[int]:
        if not self.acknowledged.exists():
            return []
        # a line without its end was not finished
        return [int(line) for line in self.acknowledged.read_text().splitlines(keepends=True) if line.endswith("\n")]

    def wait_for_writes(self, count: int) -> None:
        goal = self.count_acknowledged() + count
        wait_until(lambda: self.count_acknowledged() >= goal, f"{goal} writes are acknowledged")

    def kill_server(self) -> None:
        for pid in list_postmasters(self.data_dir):
            kill(pid)

    def restart_parent(self) -> None:
        self.parent = Script("run_server.py", self.folder)
        self.started = self.parent.read()

    def close(self) -> None:
        self.writer.kill()
        self.parent.close()


@pytest.fixture
def home(folder: Path) -> Iterator[Home]:
    made = Home(folder)
    yield made
    made.close()


def kill_server(home: Home) -> None:
    home.kill_server()
    assert home.parent.read()["kind"] == "ended"
    assert home.parent.read()["kind"] == "restarted"


def kill_parent(home: Home) -> None:
    before = list_postmasters(home.data_dir)
    home.parent.kill()
    home.wait_for_writes(5)  # nothing has happened to the server
    home.restart_parent()
    assert home.started["is_adopted"]
    assert before == [home.started["pid"]]


def kill_both(home: Home) -> None:
    home.parent.kill()
    home.kill_server()
    home.restart_parent()
    assert not home.started["is_adopted"]


def kill_server_and_then_its_watcher(home: Home) -> None:
    home.kill_server()
    home.parent.kill()
    home.restart_parent()


def kill_parent_while_it_stops_the_server(home: Home) -> None:
    (pid,) = list_postmasters(home.data_dir)
    home.parent.kill()
    os.kill(pid, signal.SIGINT)  # as the parent does, which is then killed at once
    home.restart_parent()


def kill_both_and_the_recovery(home: Home) -> None:
    home.parent.kill()
    home.kill_server()
    recovering = Script("run_server.py", home.folder)
    wait_until((home.data_dir / "postmaster.pid").exists, "the server writes its file")
    recovering.kill()
    home.restart_parent()


WAYS: list[Callable[[Home], None]] = [
    kill_server,
    kill_parent,
    kill_both,
    kill_server_and_then_its_watcher,
    kill_parent_while_it_stops_the_server,
    kill_both_and_the_recovery,
]


async def test_nothing_acknowledged_is_lost_when_server_and_parent_are_killed(home: Home) -> None:
    moments = random.Random(SEED)  # noqa: S311 - to be repeatable
    sys.stdout.write(f"{ROUNDS} kills, ROADBED_CRASH_SEED={SEED}\n")
    for way in (moments.sample(WAYS, len(WAYS)) + moments.choices(WAYS, k=ROUNDS))[:ROUNDS]:
        home.wait_for_writes(moments.randrange(1, 300))
        way(home)
        home.wait_for_writes(3)
        acknowledged = set(home.read_acknowledged())
        connection = await asyncpg.connect(home.url, ssl=False)
        stored = {row["number"] for row in await connection.fetch("SELECT number FROM numbers")}
        await connection.close()
        assert acknowledged <= stored, f"{way.__name__} lost {sorted(acknowledged - stored)}"
        assert len(list_postmasters(home.data_dir)) == 1


@pytest.mark.parametrize("entries", [1, 8, 25])
def test_kill_while_data_is_initialised_leaves_nothing_half_made(folder: Path, entries: int) -> None:
    scratch = folder / "postgres" / "initdb" / "data"
    data_dir = folder / "postgres" / "data"
    killed = Script("run_server.py", folder)
    wait_until(
        lambda: data_dir.exists() or (scratch.exists() and len(list(scratch.iterdir())) >= entries),
        "initdb has made some files",
    )
    killed.kill()
    again = Script("run_server.py", folder)
    assert again.read()["version"]
    assert not scratch.parent.exists()
    assert len(list_postmasters(data_dir)) == 1
    again.close()
    wait_for_end(data_dir)

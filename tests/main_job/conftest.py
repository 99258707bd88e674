"""Servers for whole jobs: one shared by what leaves it running, another for what kills it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.folders import make_home
from tests.main_job.support import Installation
from tests.process import RoadbedProcess

collect_ignore = ["path"]  # the tests in it are those of the services that it makes


@contextmanager
def installation(folder: Path) -> Iterator[Installation]:
    home = make_home(folder)
    made = Installation(RoadbedProcess(home, {"ROADBED_ENVIRONMENTS__READY_SECONDS": "4"}), folder)
    try:
        made.prepare()
        yield made
    finally:
        made.close()
        if made.roadbed.process is not None:
            made.roadbed.stop()


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("made")) as found:
        yield found


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    with installation(tmp_path_factory.mktemp("killed")) as found:
        yield found

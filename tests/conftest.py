"""Fixtures shared by all tests."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog
from pydantic import SecretStr

from roadbed.core.memory import configure_memory
from roadbed.core.settings import DatabaseSettings, HttpSettings, Settings
from tests.folders import let_postgres_pass
from tests.support import RunningServer, start_server


def pytest_configure(config: pytest.Config) -> None:
    """Give each run a temporary folder of its own: pytest's shared one is closed again by whichever run starts next.

    What a server in the test's process logs goes to standard error, as `roadbed up` has it: standard output is that of
    the command under test.
    """
    hypothesis.settings.register_profile("roadbed", deadline=None)  # a busy machine is no fault
    hypothesis.settings.load_profile("roadbed")
    configure_memory()  # as `roadbed up` has it
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.__stderr__))
    if config.option.basetemp is None and not hasattr(config, "workerinput"):
        folder = Path(tempfile.mkdtemp(prefix="roadbed-tests-"))
        folder.chmod(0o755)
        config.option.basetemp = str(folder / "run")
        config.add_cleanup(lambda: shutil.rmtree(folder, ignore_errors=True))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put long files first, in whatever order they are otherwise: what is long must not begin last."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    looks = {item.path for item in items if item.path.name in ("test_pages.py", "test_looks.py")}  # in a browser
    items.sort(key=lambda item: 0 if item.path in slow else 1 if item.path in looks else 2)


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningServer]:
    """Roadbed as it is after a first start, shared by all tests of this worker: use names of your own in it."""
    home = tmp_path_factory.mktemp("home")
    let_postgres_pass(home)
    outside = os.environ.get("ROADBED_TEST_DATABASE_URL")
    database = DatabaseSettings(url=SecretStr(outside) if outside else None)
    soon = HttpSettings(shutdown_seconds=2)  # a stop waits for runs: tests leave some under way
    running, thread, stop = start_server(Settings(home=home, database=database, http=soon))
    yield running
    for client in running.clients:
        client.close()
    stop()
    thread.join(60)
    assert not thread.is_alive(), "the server did not stop"

"""Folders for servers that PostgreSQL's account can enter, cleaned up whatever the test did."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from roadbed.core.postgres import PostgresOptions
from tests.core.postgres import support


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture
def folder() -> Iterator[Path]:
    # not tmp_path: pytest gives it mode 0700 and a long name, and PostgreSQL's account must be able to enter
    path = Path(tempfile.mkdtemp(prefix="roadbed-test-"))
    path.chmod(0o711)
    yield path
    for script in list(support.Script.running):
        script.kill()
    support.kill_servers_below(path)
    shutil.rmtree(path)


@pytest.fixture
def options(folder: Path) -> PostgresOptions:
    return PostgresOptions(shared_root=folder / "shared")

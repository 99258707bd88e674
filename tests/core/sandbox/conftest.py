"""A sandbox with each mechanism that this account can have."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from roadbed.core.sandbox import (
    Isolation,
    Sandbox,
    detect_isolation,
)
from tests.core.sandbox.support import MECHANISMS, make_folder


@pytest.fixture(params=MECHANISMS, ids=str, scope="module")
def isolation(request: pytest.FixtureRequest) -> Isolation:
    found = detect_isolation(wanted=request.param)
    if not found.is_isolated:
        pytest.skip(found.reason)
    return found


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every account may pass, unlike pytest's own."""
    folder = Path(tempfile.mkdtemp(prefix="roadbed-sandbox-")).resolve()
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def sandbox(isolation: Isolation) -> Sandbox:
    return Sandbox(isolation, scope=f"test-{uuid4().hex}")


@pytest.fixture
def workspace(place: Path) -> Path:
    return make_folder(place / "workspace")

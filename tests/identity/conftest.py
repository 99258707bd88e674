"""Fixtures of the identity tests."""

from collections.abc import Iterator

import pytest
from sqlalchemy import delete

from roadbed.identity.models import SignInAttempt
from tests.support import RunningServer


@pytest.fixture(autouse=True)
def _no_attempts(request: pytest.FixtureRequest) -> Iterator[None]:
    """Forget failed sign-ins before and after, as all tests come from the same few addresses."""
    if "server" not in request.fixturenames:
        yield
        return
    server: RunningServer = request.getfixturevalue("server")

    async def forget() -> None:
        async with server.database.write() as session:
            await session.execute(delete(SignInAttempt))

    server.run(forget())
    yield
    server.run(forget())

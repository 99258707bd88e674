"""The audit record: written with each change, read by admins, kept by the database."""

import pytest
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError

from roadbed.audit.contract import record
from roadbed.audit.models import AuditEntry
from roadbed.core.actor import system_actor
from roadbed.kit.ids import new_id
from tests.support import RunningServer


def note(server: RunningServer, subject: str) -> None:
    async def work() -> None:
        async with server.database.write() as session:
            await record(
                session, system_actor("test"), action="test.noted", subject=subject, after={"a": 1}, why="test"
            )

    server.run(work())


def test_entry_tells_who_what_and_the_digest_after(server: RunningServer) -> None:
    subject = f"test:{new_id()}"
    note(server, subject)
    items = server.client_as("admin").get("/api/v1/audit", params={"subject": subject}).json()["items"]
    assert [(item["actor"], item["action"], item["before_digest"], item["detail"]) for item in items] == [
        ("system:test", "test.noted", None, {"why": "test"})
    ]
    assert len(items[0]["after_digest"]) == 64


def test_only_admins_read_the_record(server: RunningServer) -> None:
    assert server.client_as("platform-engineer").get("/api/v1/audit").status_code == 403


@pytest.mark.parametrize("statement", [update(AuditEntry).values(actor="nobody"), delete(AuditEntry)])
def test_database_refuses_to_change_or_delete_entries(server: RunningServer, statement: object) -> None:
    note(server, f"test:{new_id()}")

    async def work() -> None:
        async with server.database.write() as session:
            await session.execute(statement)  # type: ignore[call-overload]  # either of two kinds of statement

    with pytest.raises(DBAPIError, match="never changed or deleted"):
        server.run(work())

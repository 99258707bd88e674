"""Secrets through their verbs: stored encrypted, resolved, masked, audited."""

import base64
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar
from urllib.parse import quote

import pytest
from sqlalchemy import select

from roadbed.audit.models import AuditEntry
from roadbed.core.actor import system_actor
from roadbed.core.db import ReadSession, WriteSession
from roadbed.secrets.contract import (
    SecretMask,
    SecretNotFound,
    delete_secret,
    delete_secrets_under,
    list_secrets,
    put_secret,
    resolve,
    resolve_all,
)
from roadbed.secrets.errors import InvalidSecretPath, InvalidSecretValue, ValueDamaged
from roadbed.secrets.models import SecretRow
from tests.support import RunningServer

T = TypeVar("T")
ACTOR = system_actor("tests")


def read(server: RunningServer, work: Callable[[ReadSession], Awaitable[T]]) -> T:
    async def run() -> T:
        async with server.database.read() as session:
            return await work(session)

    return server.run(run())


def write(server: RunningServer, work: Callable[[WriteSession], Awaitable[T]]) -> T:
    async def run() -> T:
        async with server.database.write() as session:
            return await work(session)

    return server.run(run())


def put(server: RunningServer, path: str, value: str) -> Any:
    return write(server, lambda session: put_secret(session, ACTOR, path=path, value=value))


def test_value_is_read_back_by_its_reference_and_stored_encrypted(server: RunningServer) -> None:
    put(server, "t1/db/password", "horse battery staple")
    assert read(server, lambda session: resolve(session, "secret://t1/db/password")) == "horse battery staple"
    row = read(server, lambda session: session.scalar(select(SecretRow).where(SecretRow.path == "t1/db/password")))
    assert row is not None
    assert b"horse" not in row.ciphertext
    assert len(row.nonce) == 12


def test_changed_value_gets_a_new_version_and_nonce_and_the_same_value_does_not(server: RunningServer) -> None:
    assert put(server, "t2/key", "first value").version == 1
    assert put(server, "t2/key", "first value").version == 1
    assert put(server, "t2/key", "second value").version == 2
    assert read(server, lambda session: resolve(session, "secret://t2/key")) == "second value"


def test_nested_json_is_resolved_whole_and_inside_texts(server: RunningServer) -> None:
    put(server, "t3/user", "orders_rw")
    put(server, "t3/password", "p@ss/word 1")
    outputs = {
        "url": "postgresql://${secret://t3/user}:${secret://t3/password}@localhost/orders",
        "list": [{"password": "secret://t3/password"}, 5, None, True],
        "plain": "secretive",
    }
    assert read(server, lambda session: resolve_all(session, outputs)) == {
        "url": "postgresql://orders_rw:p@ss/word 1@localhost/orders",
        "list": [{"password": "p@ss/word 1"}, 5, None, True],
        "plain": "secretive",
    }


def test_missing_references_are_all_named(server: RunningServer) -> None:
    with pytest.raises(SecretNotFound, match=r"secret://t4/a, secret://t4/b"):
        read(server, lambda session: resolve_all(session, ["secret://t4/b", "${secret://t4/a}"]))


def test_values_are_masked_as_they_are_and_derived(server: RunningServer) -> None:
    value = "päss-word/with spaces"
    put(server, "t5/masked", value)
    mask = server.services.get(SecretMask)
    for form in (value, base64.b64encode(value.encode()).decode(), quote(value, safe="")):
        assert mask.mask(f"before {form} after") == "before *** after"
        assert mask.redactor().mask(f"before {form} after") == "before *** after"


def test_moved_ciphertext_does_not_decrypt(server: RunningServer) -> None:
    put(server, "t6/high", "the valuable one")
    put(server, "t6/low", "the cheap one")

    async def swap(session: WriteSession) -> None:
        high = await session.scalar(select(SecretRow).where(SecretRow.path == "t6/high"))
        low = await session.scalar(select(SecretRow).where(SecretRow.path == "t6/low"))
        assert high is not None
        assert low is not None
        low.ciphertext, low.nonce = high.ciphertext, high.nonce

    write(server, swap)
    with pytest.raises(ValueDamaged, match="secret://t6/low"):
        read(server, lambda session: resolve(session, "secret://t6/low"))
    write(server, lambda session: delete_secrets_under(session, ACTOR, folder="t6"))


def test_deleted_values_are_gone_alone_and_by_folder(server: RunningServer) -> None:
    for name in ("t7/one", "t7/sub/two", "t7/sub/three", "t7-other/four"):
        put(server, name, f"value of {name}")
    write(server, lambda session: delete_secret(session, ACTOR, path="t7/one"))
    assert write(server, lambda session: delete_secrets_under(session, ACTOR, folder="t7")) == 2
    left = read(server, lambda session: list_secrets(session, prefix="t7", limit=10))
    assert [info.reference for info in left] == ["secret://t7-other/four"]
    with pytest.raises(SecretNotFound):
        write(server, lambda session: delete_secret(session, ACTOR, path="t7/one"))


def test_changes_are_audited_without_the_value(server: RunningServer) -> None:
    put(server, "t8/audited", "never in the record")
    put(server, "t8/audited", "nor this")
    write(server, lambda session: delete_secret(session, ACTOR, path="t8/audited"))

    async def entries(session: ReadSession) -> list[AuditEntry]:
        query = select(AuditEntry).where(AuditEntry.subject == "secret://t8/audited").order_by(AuditEntry.id)
        return list(await session.scalars(query))

    found = read(server, entries)
    assert [entry.action for entry in found] == [
        "secrets.secret_added",
        "secrets.secret_changed",
        "secrets.secret_deleted",
    ]
    assert "never" not in repr([entry.detail for entry in found])


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "../a", "A", "a b", "-a", "a-", "a" * 401, "secret://a"])
def test_unsound_paths_are_refused(server: RunningServer, path: str) -> None:
    with pytest.raises(InvalidSecretPath):
        put(server, path, "value")


@pytest.mark.parametrize("value", ["", "a\0b", "x" * 65_537])
def test_unsound_values_are_refused_without_echo(server: RunningServer, value: str) -> None:
    with pytest.raises(InvalidSecretValue) as caught:
        put(server, "t9/value", value)
    assert not value or value not in caught.value.message

"""The key file, and starts with a key that fits, does not fit, is missing, or was changed."""

import asyncio
import base64
import os
import stat
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy import delete, insert, select

from roadbed.core.actor import system_actor
from roadbed.core.db import Database
from roadbed.core.home import Home
from roadbed.core.services import Services
from roadbed.core.settings import SecretsSettings, Settings
from roadbed.secrets.contract import put_secret, resolve
from roadbed.secrets.errors import InvalidKey, KeyMissing
from roadbed.secrets.models import SecretRow
from roadbed.secrets.rules.cipher import DecryptionError, Key
from roadbed.secrets.service.keys import KEY_FILE, create_key_file, find_key, parse_key
from roadbed.secrets.service.mask import SecretMask
from roadbed.secrets.service.vault import Vault, open_vault
from tests.support import RunningServer

ACTOR = system_actor("tests")
NEW_KEY = base64.b64encode(bytes(range(32))).decode()


def test_made_key_file_is_private_and_never_overwritten(tmp_path: Path) -> None:
    key = create_key_file(tmp_path)
    path = tmp_path / KEY_FILE
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert find_key(SecretsSettings(), tmp_path) == key
    with pytest.raises(FileExistsError):
        create_key_file(tmp_path)
    assert find_key(SecretsSettings(), tmp_path) == key
    assert os.listdir(tmp_path) == [KEY_FILE]  # noqa: PTH208 - names, hidden ones too


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_key_file_that_others_may_read_is_refused(tmp_path: Path, mode: int) -> None:
    create_key_file(tmp_path)
    (tmp_path / KEY_FILE).chmod(mode)
    with pytest.raises(InvalidKey, match=f"mode 0{mode:o}"):
        find_key(SecretsSettings(), tmp_path)


def test_key_file_that_is_a_link_is_refused(tmp_path: Path) -> None:
    create_key_file(tmp_path)
    (tmp_path / KEY_FILE).rename(tmp_path / "elsewhere")
    (tmp_path / KEY_FILE).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(InvalidKey):
        find_key(SecretsSettings(), tmp_path)


@pytest.mark.parametrize("text", ["", "short", base64.b64encode(b"x" * 31).decode(), "!" * 44])
def test_text_that_is_no_key_is_refused_without_echo(text: str) -> None:
    with pytest.raises(InvalidKey, match="HERE") as caught:
        parse_key(text, source="HERE")
    assert len(text) < 6 or text not in str(caught.value)


def test_value_opens_only_with_its_key_path_and_version() -> None:
    key = Key(bytes(32))
    sealed = key.seal("value", path="a/b", version=3)
    assert key.open(sealed, path="a/b", version=3) == "value"
    for wrong_key, path, version in ((Key(b"1" * 32), "a/b", 3), (key, "a/c", 3), (key, "a/b", 2)):
        with pytest.raises(DecryptionError):
            wrong_key.open(sealed, path=path, version=version)


@pytest.fixture
def lone(server: RunningServer) -> Iterator[RunningServer]:
    """The shared server, with its stored secrets set aside for the time of one test."""

    async def take() -> list[dict[str, object]]:
        async with server.database.write() as session:
            rows = (await session.execute(select(SecretRow.__table__))).mappings().all()
            await session.execute(delete(SecretRow))
            return [dict(row) for row in rows]

    async def put_back(rows: list[dict[str, object]]) -> None:
        async with server.database.write() as session:
            await session.execute(delete(SecretRow))
            if rows:
                await session.execute(insert(SecretRow), rows)

    rows = server.run(take())
    yield server
    server.run(put_back(rows))


@asynccontextmanager
async def start(server: RunningServer, home: Path, settings: SecretsSettings) -> AsyncIterator[Services]:
    """Start only the vault, on the database of the running server and a home folder of its own."""
    services = Services()
    services.put(Settings, Settings(home=home, secrets=settings))
    services.put(Home, Home(home, server.database.url.render_as_string(hide_password=False), "test", None))
    database = Database(services.get(Home).database_url, pool_size=2, statement_timeout_seconds=30, services=services)
    services.put(Database, database)
    try:
        async with open_vault(services):
            yield services
    finally:
        await database.close()


def store(server: RunningServer, home: Path, settings: SecretsSettings, path: str, value: str) -> None:
    async def run() -> None:
        async with start(server, home, settings) as services, services.get(Database).write() as session:
            await put_secret(session, ACTOR, path=path, value=value)

    asyncio.run(run())


def read(server: RunningServer, home: Path, settings: SecretsSettings, path: str) -> str:
    async def run() -> str:
        async with start(server, home, settings) as services, services.get(Database).read() as session:
            return await resolve(session, f"secret://{path}")

    return asyncio.run(run())


def test_second_start_opens_what_the_first_one_stored_and_masks_it(lone: RunningServer, tmp_path: Path) -> None:
    store(lone, tmp_path, SecretsSettings(), "kept/value", "from the first start")

    async def mask() -> str:
        async with start(lone, tmp_path, SecretsSettings()) as services:
            return services.get(SecretMask).mask("say: from the first start")

    assert asyncio.run(mask()) == "say: ***"
    assert read(lone, tmp_path, SecretsSettings(), "kept/value") == "from the first start"


def test_start_without_the_key_is_refused_and_makes_no_new_one(lone: RunningServer, tmp_path: Path) -> None:
    store(lone, tmp_path, SecretsSettings(), "lost/value", "sealed with the lost key")
    (tmp_path / KEY_FILE).unlink()
    with pytest.raises(KeyMissing, match="there is no key: lost/value") as caught:
        read(lone, tmp_path, SecretsSettings(), "lost/value")
    assert "ROADBED_SECRETS__PREVIOUS_KEYS" in (caught.value.hint or "")
    assert not (tmp_path / KEY_FILE).exists()


def test_start_with_another_key_is_refused(lone: RunningServer, tmp_path: Path) -> None:
    store(lone, tmp_path, SecretsSettings(), "other/value", "sealed with the file's key")
    with pytest.raises(KeyMissing, match="does not open them"):
        read(lone, tmp_path, SecretsSettings(key=SecretStr(NEW_KEY)), "other/value")


def test_changed_key_with_the_former_one_encrypts_everything_again(lone: RunningServer, tmp_path: Path) -> None:
    store(lone, tmp_path, SecretsSettings(), "turned/value", "survives the change")
    old = SecretStr((tmp_path / KEY_FILE).read_text())
    new = SecretStr(NEW_KEY)
    assert read(lone, tmp_path, SecretsSettings(key=new, previous_keys=[old]), "turned/value") == "survives the change"
    assert read(lone, tmp_path, SecretsSettings(key=new), "turned/value") == "survives the change"


def test_lost_secrets_are_deleted_only_on_demand(lone: RunningServer, tmp_path: Path) -> None:
    store(lone, tmp_path, SecretsSettings(), "gone/value", "nobody can read this")
    (tmp_path / KEY_FILE).unlink()
    store(lone, tmp_path, SecretsSettings(discard_unreadable=True), "fresh/value", "with the new key")
    assert read(lone, tmp_path, SecretsSettings(), "fresh/value") == "with the new key"

    async def key_id() -> str:
        async with start(lone, tmp_path, SecretsSettings()) as services:
            return services.get(Vault).current.id

    assert len(asyncio.run(key_id())) == 16

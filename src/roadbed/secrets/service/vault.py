"""The vault: the keys of this process, and its start. See `service` for the verbs."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import structlog

from roadbed.audit.contract import record
from roadbed.core.actor import system_actor
from roadbed.core.db import Database, WriteSession, lock_transaction
from roadbed.core.home import Home
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.kit.text import plural
from roadbed.secrets import repository
from roadbed.secrets.errors import KeyMissing, ValueDamaged
from roadbed.secrets.models import SecretRow
from roadbed.secrets.rules.cipher import DecryptionError, Key, Sealed
from roadbed.secrets.service.keys import create_key_file, find_key, previous_keys
from roadbed.secrets.service.mask import SecretMask

log = structlog.get_logger(__name__)

SHOWN_PATHS = 10


class Vault:
    """Opens and seals values. `current` seals; the others only open what they sealed before."""

    def __init__(self, current: Key, others: Sequence[Key] = ()) -> None:
        self.current = current
        self._keys = {key.id: key for key in (*others, current)}

    def can_open(self, row: SecretRow) -> bool:
        return row.key_id in self._keys

    def open(self, row: SecretRow) -> str:
        """Return the value of `row`.

        Raises:
            KeyMissing: it is under a key that this process does not have.
            ValueDamaged: the row was changed outside Roadbed.
        """
        key = self._keys.get(row.key_id)
        if key is None:
            raise KeyMissing(
                f"secret://{row.path} is encrypted with the key {row.key_id}, which this process does not have.",
                hint="All processes of one Roadbed need the same ROADBED_SECRETS__KEY.",
            )
        try:
            return key.open(Sealed(row.ciphertext, row.nonce, row.key_id), path=row.path, version=row.version)
        except DecryptionError as error:
            raise ValueDamaged(
                f"secret://{row.path} does not decrypt: its row was changed outside Roadbed.",
                hint="Restore the database from a backup, or put the value again.",
            ) from error

    def seal(self, row: SecretRow, value: str) -> None:
        """Put `value` into `row`, under the current key and the row's path and version."""
        sealed = self.current.seal(value, path=row.path, version=row.version)
        row.ciphertext, row.nonce, row.key_id = sealed.ciphertext, sealed.nonce, sealed.key_id


@asynccontextmanager
async def open_vault(services: Services) -> AsyncIterator[None]:
    """Find the key, check that it opens every stored value, and teach the mask all values.

    Values under a previous key are encrypted again with the current one.

    Raises:
        InvalidKey: the key or its file cannot be used.
        KeyMissing: values are stored that none of the keys opens. Nothing was changed.
    """
    mask = services.find(SecretMask)
    if mask is None:
        mask = SecretMask()
        services.put(SecretMask, mask)
    async with services.get(Database).write() as session:
        await lock_transaction(session, "secrets:start")
        services.put(Vault, await _start(session, services, mask))
    yield


async def _start(session: WriteSession, services: Services, mask: SecretMask) -> Vault:
    settings, home = services.get(Settings).secrets, services.get(Home).path
    rows = list(await repository.list_all(session))
    older = previous_keys(settings)
    key = find_key(settings, home)
    known = {known.id for known in (*older, *([key] if key else []))}
    unreadable = [row for row in rows if row.key_id not in known]
    if unreadable and not settings.discard_unreadable:
        raise _missing(unreadable, has_key=key is not None)
    if unreadable:
        await _discard(session, unreadable)
        rows = [row for row in rows if row.key_id in known]
    if key is None:
        key = create_key_file(home)
        log.info("secrets.key_created", file="secrets.key", hint="keep a copy of it: backups do not contain it")
    vault = Vault(key, older)
    for row in rows:
        mask.add(value := vault.open(row))
        if row.key_id != key.id:
            vault.seal(row, value)
            log.info("secrets.reencrypted", path=row.path, key_id=key.id)
    return vault


async def _discard(session: WriteSession, rows: list[SecretRow]) -> None:
    actor = system_actor("secrets")
    for row in rows:
        await record(
            session, actor, action="secrets.secret_discarded", subject=f"secret://{row.path}", key_id=row.key_id
        )
        log.warning("secrets.discarded", path=row.path, key_id=row.key_id)
    await repository.remove(session, rows)


def _missing(rows: list[SecretRow], *, has_key: bool) -> KeyMissing:
    paths = ", ".join(row.path for row in rows[:SHOWN_PATHS])
    more = f" and {len(rows) - SHOWN_PATHS} more" if len(rows) > SHOWN_PATHS else ""
    ids = ", ".join(sorted({row.key_id for row in rows}))
    reason = "the configured key does not open them" if has_key else "there is no key"
    return KeyMissing(
        f"{plural(len(rows), 'stored secret')} cannot be opened, because {reason}: {paths}{more}. "
        f"They were encrypted with the key {ids}.",
        hint="Put that key back: the file secrets.key in the home folder, or ROADBED_SECRETS__KEY. If it was changed "
        "on purpose, give the old one in ROADBED_SECRETS__PREVIOUS_KEYS for one start. If it is lost for good, "
        "ROADBED_SECRETS__DISCARD_UNREADABLE=true deletes these secrets.",
    )

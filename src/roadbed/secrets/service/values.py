"""The verbs on secrets. Values are read with `resolve` and `resolve_all` at the moment they are used, and not kept."""

from collections.abc import Sequence
from typing import Any

from roadbed.audit.contract import record
from roadbed.core.actor import Actor
from roadbed.core.db import ReadSession, WriteSession, lock_transaction
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id
from roadbed.secrets import repository
from roadbed.secrets.errors import InvalidSecretValue, SecretNotFound
from roadbed.secrets.models import SecretRow
from roadbed.secrets.rules.paths import MAX_VALUE_BYTES, check_path, find_paths, path_of, replace_references
from roadbed.secrets.service.mask import SecretMask
from roadbed.secrets.service.vault import Vault
from roadbed.secrets.types import SecretInfo


async def put_secret(session: WriteSession, actor: Actor, *, path: str, value: str) -> SecretInfo:
    """Store `value` under `path`, or replace what is there; the same value again changes nothing.

    Raises:
        InvalidSecretPath: the path is not one.
        InvalidSecretValue: the value is empty, holds a NUL, or has more than 65,536 bytes.
    """
    check_path(path)
    _check_value(path, value)
    vault = session.services.get(Vault)
    session.services.get(SecretMask).add(value)
    await lock_transaction(session, f"secret:{path}")
    row = await repository.find(session, path, is_locked=True)
    before = None if row is None else row.version
    if row is None:
        row = SecretRow(id=new_id(), path=path, version=1, created_at=now(), updated_at=now())
    elif vault.can_open(row) and vault.open(row) == value:
        return _info(row)
    else:
        row.version += 1
        row.updated_at = now()
    vault.seal(row, value)
    session.add(row)
    await record(
        session,
        actor,
        action="secrets.secret_changed" if before else "secrets.secret_added",
        subject=f"secret://{path}",
        before=before,
        after=row.version,
        version=row.version,
    )
    return _info(row)


async def resolve(session: ReadSession, reference: str) -> str:
    """Return the value of `secret://path`, which is masked in logs from now on.

    Raises:
        SecretNotFound: there is none at that path.
    """
    path = path_of(reference)
    return (await _values(session, {path}))[path]


async def resolve_all(session: ReadSession, value: Any) -> Any:
    """Return a JSON value with every reference in it exchanged for the secret's value.

    A text that is a reference is replaced whole; inside a longer text a reference stands as `${secret://path}`.

    Raises:
        SecretNotFound: naming all paths that do not exist.
    """
    values = await _values(session, set(find_paths(value)))
    return replace_references(value, values.__getitem__)


async def delete_secret(session: WriteSession, actor: Actor, *, path: str) -> None:
    """Delete the value at `path`.

    Raises:
        SecretNotFound: there is none.
    """
    row = await repository.find(session, check_path(path), is_locked=True)
    if row is None:
        raise _not_found([path])
    await _delete(session, actor, [row])


async def delete_secrets_under(session: WriteSession, actor: Actor, *, folder: str) -> int:
    """Delete all values below `folder` (`environments/shop/preview-41`); returns how many there were."""
    rows = await repository.list_under(session, check_path(folder))
    await _delete(session, actor, rows)
    return len(rows)


async def list_secrets(
    session: ReadSession, *, prefix: str = "", after: str | None = None, limit: int
) -> list[SecretInfo]:
    """List what is stored, by path, from after the path `after`."""
    return [_info(row) for row in await repository.list_page(session, prefix=prefix, after=after, limit=limit)]


async def _values(session: ReadSession, paths: set[str]) -> dict[str, str]:
    if not paths:
        return {}
    rows = await repository.list_by_paths(session, paths)
    missing = paths - {row.path for row in rows}
    if missing:
        raise _not_found(sorted(missing))
    vault = session.services.get(Vault)
    values = {row.path: vault.open(row) for row in rows}
    session.services.get(SecretMask).add(*values.values())
    return values


async def _delete(session: WriteSession, actor: Actor, rows: Sequence[SecretRow]) -> None:
    for row in rows:
        await record(
            session, actor, action="secrets.secret_deleted", subject=f"secret://{row.path}", before=row.version
        )
    await repository.remove(session, rows)


def _check_value(path: str, value: str) -> None:
    size_bytes = len(value.encode("utf-8", "surrogatepass"))
    if not value or "\0" in value or size_bytes > MAX_VALUE_BYTES:
        reason = "is empty" if not value else "holds a NUL" if "\0" in value else f"has {size_bytes:,} bytes"
        raise InvalidSecretValue(
            f"The value for secret://{path} {reason}.",
            hint=f"A value is text of 1 to {MAX_VALUE_BYTES:,} bytes; encode binary data in base64.",
        )


def _not_found(paths: list[str]) -> SecretNotFound:
    names = ", ".join(f"secret://{path}" for path in paths)
    verb = "is" if len(paths) == 1 else "are"
    return SecretNotFound(
        f"There {verb} no {names}.", hint="Put it with `PUT /api/v1/secrets/<path>`, or correct the reference."
    )


def _info(row: SecretRow) -> SecretInfo:
    return SecretInfo(row.path, row.version, row.created_at, row.updated_at)

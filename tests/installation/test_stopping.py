"""The end of a server: what is closed after the workflow engine can still work in threads."""

import subprocess
import sys
from pathlib import Path

SCRIPT = """
import asyncio, sys
from contextlib import asynccontextmanager
from pathlib import Path
from roadbed.app import MODULES, open_roadbed
from roadbed.core.extension import Module
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.settings import Settings

@asynccontextmanager
async def late(services):
    yield
    print("closed in", await asyncio.to_thread(lambda: "a thread"))

async def main():
    modules = (*MODULES, Module("late", (PROVIDERS.add(Provider("late", late)),)))
    async with open_roadbed(Settings(home=Path(sys.argv[1]), port=0), modules=modules):
        print("opened")

asyncio.run(main())
"""


def test_what_is_closed_last_has_threads(open_folder: Path) -> None:
    home = str(open_folder / "home")
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, home], capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "opened\nclosed in a thread" in done.stdout

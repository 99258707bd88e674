"""Stands for Roadbed: runs a server, says how the start went, tells of events, stops on SIGTERM."""

import asyncio
import dataclasses
import json
import signal
import sys
from pathlib import Path

from roadbed.core.postgres import EmbeddedPostgres, PostgresOptions


def say(**fields: object) -> None:
    sys.stdout.write(json.dumps(fields) + "\n")
    sys.stdout.flush()


async def main(folder: Path) -> None:
    stopped = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stopped.set)
    server = EmbeddedPostgres(
        folder / "postgres",
        options=PostgresOptions(shared_root=folder / "shared"),
        on_event=lambda event: say(**dataclasses.asdict(event)),
    )
    say(**dataclasses.asdict(await server.start()), url=server.url("postgres"))
    await stopped.wait()
    await server.stop()


asyncio.run(main(Path(sys.argv[1])))

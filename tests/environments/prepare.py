"""Deploys into a home folder, as a process: a server within the test can store what it builds, but is only one."""

import sys
from pathlib import Path

from roadbed.core.settings import Settings
from tests.environments.conftest import Stage
from tests.support import start_server


def prepare(home: Path, trees: Path) -> str:
    """Bring 1.0.0 of a new component to development, 2.0.0 and 3.0.0, which prints a lot, to staging."""
    server, thread, stop = start_server(Settings(home=home))
    try:
        stage = Stage(server, server.client(server.token()), trees)
        component = stage.component()
        noisy = "for number in range(500): print('noise', number, flush=True)"
        for version, first in (("2.0.0", ""), ("3.0.0", noisy)):
            stage.deploy(component, stage.artifact(version, first=first), "staging")
        stage.deploy(component, stage.artifact("1.0.0"))
    finally:
        for client in server.clients:
            client.close()
        stop()
        thread.join(60)
    return component


if __name__ == "__main__":
    sys.stdout.write(prepare(Path(sys.argv[1]), Path(sys.argv[2])) + "\n")

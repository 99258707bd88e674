"""The command line against the server of the tests."""

import subprocess

from tests.environments.conftest import Stage
from tests.process import RoadbedProcess


def roadbed(stage: Stage, *arguments: str, token: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command of `roadbed`; without a token as an admin."""
    process = RoadbedProcess(stage.server.home, url=stage.server.base_url)
    return process.run(*arguments, token=token or stage.server.token())

"""`roadbed up` as a process of its own, for tests that start, kill and start it again."""

import functools
import os
import re
import signal
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO

import httpx
import pytest

from roadbed.cli.server.local import create_token_of_owner
from tests import plain_http
from tests.zygote import Fork, Zygote

ROADBED = Path(sys.executable).with_name("roadbed")
zygote = functools.cache(Zygote)
START_SECONDS = 90


@dataclass
class RoadbedProcess:
    """A server in a home folder. `env` is added to the environment of all its commands.

    They are forked (tests.zygote), or started where `program` names another `roadbed` than this one.
    """

    home: Path
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | Fork | None = None
    url: str = ""
    output: str = ""
    program: Path = ROADBED
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("ROADBED_")}
        given = {
            "ROADBED_HOME": str(self.home),
            "ROADBED_HTTP__SHUTDOWN_SECONDS": "2",  # a stop waits for runs: tests leave some under way
            "PYTHONWARNINGS": "default",
        }
        return outside | given | self.env

    @property
    def _log(self) -> Path:
        return self.home.with_name(self.home.name + ".log")

    def log(self) -> str:
        """Return what the server has said since it was started last."""
        return self._log.read_text(errors="replace")

    def start(self, *arguments: str) -> "RoadbedProcess":
        """Start the server on a free port and return when it says where it is."""
        with self._log.open("wb") as file:
            self.process = self._spawn(["up", "--port", "0", *arguments], env=self.environment, output=file)
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.output = self.log()
            found = re.search(r"Roadbed is at (http://\S+)", self.output)
            if found and "Stop with Ctrl-C." in self.output:  # the last line of the greeting
                self.url = found.group(1)
                return self
            assert self.process.poll() is None, f"roadbed up ended with {self.process.returncode}:\n{self.output}"
            assert time.monotonic() < deadline, f"roadbed up did not start:\n{self.output}"
            time.sleep(0.02)

    def kill(self) -> None:
        """End the server as a power cut would, and leave its PostgreSQL behind."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(10)

    def postgres_pid(self) -> int:
        """Return the process id of the embedded PostgreSQL."""
        pointer = self.home / "postgres" / "location"
        folder = Path(pointer.read_text().strip()) if pointer.exists() else self.home / "postgres"
        return int((folder / "data" / "postmaster.pid").read_text().split()[0])

    def stop(self) -> int:
        """Stop the server as Ctrl-C does, and return its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        code = self.process.wait(60)
        self.output = self.log()  # why it ended badly
        return code

    def run(self, *arguments: str, token: str = "", stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line against this server."""
        environment = self.environment | {"ROADBED_URL": self.url, "ROADBED_TOKEN": token}
        with TemporaryFile() as given, TemporaryFile() as output, TemporaryFile() as errors:
            given.write((stdin or "").encode())
            given.seek(0)
            process = self._spawn(list(arguments), env=environment, stdin=given, output=output, errors=errors)
            try:
                code = process.wait(120)
            except subprocess.TimeoutExpired:
                process.kill()
                raise
            texts = [file.read().decode() for file in (output, errors) if file.seek(0) == 0]
        return subprocess.CompletedProcess([str(self.program), *arguments], code, *texts)

    def _spawn(
        self,
        arguments: list[str],
        *,
        env: dict[str, str],
        output: IO[bytes],
        errors: IO[bytes] | None = None,
        stdin: IO[bytes] | None = None,
    ) -> subprocess.Popen[bytes] | Fork:
        if self.program != ROADBED:
            return subprocess.Popen(
                [self.program, *arguments],
                env=env,
                stdin=stdin,
                stdout=output,
                stderr=errors or output,
                start_new_session=True,
            )
        with Path(os.devnull).open("rb") as nothing:
            return zygote().start(arguments, env=env, files=[stdin or nothing, output, errors or output])

    def token(self, role: str = "admin") -> str:
        """Return the token of the home folder's owner with one role; made once, it outlives the server.

        Made by what `roadbed token create --local` does, in this process: a start of the command takes seconds.
        """
        if role not in self._tokens:
            with pytest.MonkeyPatch.context() as patch, ThreadPoolExecutor(1) as pool:  # the test may have a loop
                for name in [name for name in os.environ if name.startswith("ROADBED_")]:
                    patch.delenv(name)
                for name, value in self.env.items():
                    patch.setenv(name, value)
                made = pool.submit(create_token_of_owner, self.home, role, name=None, days=90, scopes=None).result()
            self._tokens[role] = str(made["value"])
        return self._tokens[role]

    def client(self, token: str) -> httpx.Client:
        return plain_http.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

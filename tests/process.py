"""`roadbed up` as a process of its own, for tests that start, kill and start it again."""

import os
import re
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import httpx

ROADBED = Path(sys.executable).with_name("roadbed")
START_SECONDS = 90


@dataclass
class RoadbedProcess:
    """A server in a home folder. `env` is added to the environment of all its commands; `program` is `roadbed`."""

    home: Path
    env: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    url: str = ""
    output: str = ""
    program: Path = ROADBED
    _tokens: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        outside = {name: value for name, value in os.environ.items() if not name.startswith("ROADBED_")}
        return outside | {"ROADBED_HOME": str(self.home), "PYTHONWARNINGS": "default"} | self.env

    def start(self, *arguments: str) -> "RoadbedProcess":
        """Start the server on a free port and return when it says where it is."""
        log = self.home.with_name(self.home.name + ".log")
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [self.program, "up", "--port", "0", *arguments],
                env=self.environment,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while True:
            self.output = log.read_text(errors="replace")
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
        self.output = self.home.with_name(self.home.name + ".log").read_text(errors="replace")  # why it ended badly
        return code

    def run(self, *arguments: str, token: str = "", stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command of the command line against this server."""
        environment = self.environment | {"ROADBED_URL": self.url, "ROADBED_TOKEN": token}
        return subprocess.run(
            [self.program, *arguments],
            env=environment,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def token(self, role: str = "admin") -> str:
        """Return the token of the home folder's owner with one role; made once, it outlives the server."""
        if role not in self._tokens:
            made = self.run("token", "create", "--local", "--role", role)
            assert made.returncode == 0, made.stderr
            self._tokens[role] = made.stdout.strip()
        return self._tokens[role]

    def client(self, token: str) -> httpx.Client:
        return httpx.Client(base_url=self.url, headers={"Authorization": f"Bearer {token}"}, timeout=60)

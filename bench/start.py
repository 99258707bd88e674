"""How fast Roadbed starts, how soon its first service is healthy, and what memory that takes.

Measures an installation from an empty home folder with the sample: the first page, the service *hello* healthy in
development, the proportional set size (PSS) of the server's own process before, during and after that, with PostgreSQL
and everything else below it apart; then a second start of the same home folder. Prints a table and writes JSON.

    python bench/start.py [--rounds 3] [--json build/bench/start.json]
"""

import argparse
import json
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import psutil

ROADBED = Path(sys.executable).with_name("roadbed")
LIMIT_SECONDS = 300
IDLE_SECONDS = 10
FIGURES = {
    "cold_start_s": "First start: the sign-in page answers",
    "hello_healthy_s": "First start: hello is healthy in development",
    "warm_start_s": "Second start: the sign-in page answers",
    "pss_fresh_mib": "Memory of the server, just started",
    "pss_create_mib": "Memory of the server at most, while hello is created",
    "pss_idle_mib": "Memory of the server, idle afterwards",
    "pss_postgres_mib": "Memory of its PostgreSQL, idle afterwards",
}


@dataclass
class Memory:
    """The most that was seen of a process, in MiB."""

    pid: int
    most: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def watch(self) -> None:
        while not self._stop.wait(0.25):
            self.most = max(self.most, pss(self.pid))

    def stop(self) -> None:
        self._stop.set()


def pss(pid: int) -> float:
    """Return the proportional set size of one process in MiB."""
    return float(psutil.Process(pid).memory_full_info().pss) / 2**20


@contextmanager
def scratch() -> Iterator[Path]:
    """Give a folder that PostgreSQL's own account can pass, and remove it afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="roadbed-bench-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


@contextmanager
def server(home: Path, *arguments: str, env: Mapping[str, str] | None = None) -> Iterator[tuple[int, str, float]]:
    """Run `roadbed up` on a free port. Gives its pid, its address, and the seconds until a page answered."""
    outside = {name: value for name, value in os.environ.items() if not name.startswith("ROADBED_")}
    log = home.with_suffix(".log")
    began = time.monotonic()
    with log.open("wb") as file:
        process = subprocess.Popen(
            [ROADBED, "up", "--port", "0", *arguments],
            env=outside | {"ROADBED_HOME": str(home)} | dict(env or {}),
            stdout=file,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        address = wait_for(lambda: find_address(log, process))
        wait_for(lambda: httpx.get(f"{address}/sign-in").status_code == 200)
        yield process.pid, address, time.monotonic() - began
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(60)


def find_address(log: Path, process: subprocess.Popen[bytes]) -> str | None:
    text = log.read_text(errors="replace")
    if process.poll() is not None:
        raise SystemExit(f"roadbed up ended with {process.returncode}:\n{text}")
    found = re.search(r"Roadbed is at (http://\S+)", text)
    return found.group(1) if found else None


def wait_for(look: Callable[[], Any]) -> Any:
    deadline = time.monotonic() + LIMIT_SECONDS
    while not (found := look()):
        if time.monotonic() > deadline:
            raise SystemExit(f"it did not come about within {LIMIT_SECONDS} s")
        time.sleep(0.05)
    return found


def open_client(home: Path, address: str, *, env: Mapping[str, str] | None = None) -> httpx.Client:
    made = subprocess.run(
        [ROADBED, "token", "create", "--local"],
        env=os.environ | {"ROADBED_HOME": str(home), "ROADBED_URL": address} | dict(env or {}),
        capture_output=True,
        text=True,
        check=True,
    )
    return httpx.Client(base_url=address, headers={"Authorization": f"Bearer {made.stdout.strip()}"}, timeout=30)


def is_healthy(client: httpx.Client) -> bool:
    answer = client.get("/api/v1/environments/hello/development")
    return answer.status_code == 200 and any(item["health"] == "healthy" for item in answer.json()["workloads"])


def measure(home: Path) -> dict[str, float]:
    """Start twice in one home folder; seconds and MiB by the names of FIGURES."""
    found: dict[str, float] = {}
    began = time.monotonic()
    with server(home, "--sample") as (pid, address, seconds):
        found["cold_start_s"] = seconds
        found["pss_fresh_mib"] = pss(pid)
        memory = Memory(pid)
        watching = threading.Thread(target=memory.watch)
        watching.start()
        with open_client(home, address) as client:
            wait_for(lambda: is_healthy(client))
        found["hello_healthy_s"] = time.monotonic() - began
        memory.stop()
        watching.join()
        found["pss_create_mib"] = memory.most
        time.sleep(IDLE_SECONDS)
        found["pss_idle_mib"] = pss(pid)
        children = psutil.Process(pid).children(recursive=True)
        found["pss_postgres_mib"] = sum(pss(child.pid) for child in children if child.name().startswith("postgres"))
    with server(home, "--sample") as (_, _, seconds):
        found["warm_start_s"] = seconds
    return found


def main() -> None:
    """Measure some rounds, each in a home folder of its own, and show the medians."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, default=Path("build/bench/start.json"))
    options = parser.parse_args()
    rounds = []
    for _ in range(options.rounds):
        with scratch() as folder:
            home = folder / "home"
            home.mkdir(mode=0o755)
            rounds.append(measure(home))
    medians = {name: statistics.median(one[name] for one in rounds) for name in FIGURES}
    machine = (
        f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, Python {platform.python_version()}"
    )
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": machine, "medians": medians, "rounds": rounds}, indent=1) + "\n")
    print(f"Medians of {len(rounds)} rounds on {machine}")
    for name, words in FIGURES.items():
        print(f"  {words:<54} {medians[name]:8.1f} {'s' if name.endswith('_s') else 'MiB'}")


if __name__ == "__main__":
    main()

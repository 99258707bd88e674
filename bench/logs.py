"""How soon the page of a long log is there: a run of 200,000 lines, opened in a browser at its end.

Prints the first opening, in a browser that has nothing yet, and the median and the longest of those after it.

    ROADBED_TEST_CHROMIUM=$(python tools/chromium.py) python bench/logs.py [--lines 200000]
        [--rounds 20] [--json build/bench/logs.json]
"""

import argparse
import asyncio
import json
import os
import statistics
import time
from pathlib import Path
from typing import Any
from uuid import UUID

import start
from playwright.sync_api import Page, expect, sync_playwright

from roadbed.core.db import Database
from roadbed.core.home import open_home_database
from roadbed.core.services import Services
from roadbed.core.settings import load_settings
from roadbed.kit.clock import now
from roadbed.runs.service.logs import append_lines

_PIECE = 5_000


async def write_log(home: Path, run: UUID, step: UUID, count: int) -> None:
    """Write lines of a build to a step, as a runner does."""
    async with open_home_database(load_settings(home=home)) as place:
        database = Database(place.database_url, pool_size=1, statement_timeout_seconds=60, services=Services())
        try:
            for first in range(0, count, _PIECE):
                numbers = range(first, min(first + _PIECE, count))
                lines = [(now(), "out", f"\x1b[32mline\x1b[0m of a build {number}") for number in numbers]
                async with database.write() as session:
                    await append_lines(session, run, step, lines, limit_bytes=10**9)
        finally:
            await database.close()


def open_page(page: Page, address: str, last: str) -> float:
    """Open the page; return the seconds until its last line is in the window."""
    began = time.perf_counter()
    page.goto(address, wait_until="load")
    expect(page.locator("[data-log-lines] > li", has_text=last).last).to_be_in_viewport(timeout=60_000)
    return time.perf_counter() - began


def measure(folder: Path, *, lines: int, rounds: int) -> dict[str, Any]:
    home = folder / "home"
    home.mkdir(mode=0o755)
    with start.server(home) as (_, address, _), start.open_client(home, address) as client:
        run = start.wait_for(lambda: next(iter(client.get("/api/v1/runs").json()["items"]), None))
        start.wait_for(lambda: client.get(f"/api/v1/runs/{run['id']}").json()["finished_at"])
        step = client.get(f"/api/v1/runs/{run['id']}").json()["steps"][0]
        asyncio.run(write_log(home, UUID(run["id"]), UUID(step["id"]), lines))
        with sync_playwright() as playwright:
            chromium = playwright.chromium.launch(executable_path=os.environ.get("ROADBED_TEST_CHROMIUM"))
            headers = {"Authorization": client.headers["Authorization"]}
            page = chromium.new_page(viewport={"width": 1280, "height": 900}, extra_http_headers=headers)
            url = f"{address}/runs/{run['id']}?step={step['key']}"
            first, *later = [open_page(page, url, f"of a build {lines - 1}") for _ in range(rounds + 1)]
            chromium.close()
    return {"lines": lines, "first_s": first, "median_s": statistics.median(later), "longest_s": max(later)}


def main() -> None:
    parser = argparse.ArgumentParser(description="How soon the page of a long log is there.")
    parser.add_argument("--lines", type=int, default=200_000)
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path, default=Path("build/bench/logs.json"))
    given = parser.parse_args()
    with start.scratch() as folder:
        found = measure(folder, lines=given.lines, rounds=given.rounds)
    for name, value in found.items():
        print(f"{name:<10} {value:>9.3f}" if isinstance(value, float) else f"{name:<10} {value:>9,}")
    given.json.parent.mkdir(parents=True, exist_ok=True)
    given.json.write_text(json.dumps(found, indent=2) + "\n")


if __name__ == "__main__":
    main()

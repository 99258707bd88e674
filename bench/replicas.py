"""How soon a change is seen on another replica: put on one process, asked for on the other until it answers.

Starts a host and a web process over one PostgreSQL, with a catalog of the given size. Prints median and p99.

    python bench/replicas.py [--entities 10000] [--changes 200] [--json build/bench/replicas.json]
"""

import argparse
import base64
import json
import os
import secrets
import statistics
import time
from pathlib import Path

import database
import entities
import httpx
import start

import catalog

ENTITY = """apiVersion: backstage.io/v1alpha1
kind: Component
metadata: {{name: seen-{number}, description: "{mark}"}}
spec: {{type: service, lifecycle: production, owner: nobody}}
"""


def measure(count: int, changes: int, folder: Path) -> list[float]:
    """Return the milliseconds from the answer of the one that took each change to the other's first answer with it."""
    made = entities.make(count, folder / "data")
    with database.run() as postgres:
        postgres.execute("postgres", f"CREATE DATABASE roadbed OWNER {database.USER}")
        shared = {
            "ROADBED_DATABASE__URL": postgres.url("roadbed"),
            "ROADBED_SECRETS__KEY": base64.b64encode(secrets.token_bytes(32)).decode(),
            "ROADBED_ARTIFACTS__FOLDER": str(folder / "blobs"),
        }
        host_home, web_home = folder / "host", folder / "web"
        for home in (host_home, web_home):
            home.mkdir(mode=0o755)
        with (
            start.server(host_home, env=shared) as (pid, address, _),
            start.server(web_home, "--role", "web", env=shared) as (_, other, _),
            start.open_client(host_home, address, env=shared) as writer,
            httpx.Client(base_url=other, headers=writer.headers, timeout=60) as reader,
        ):
            writer.timeout = httpx.Timeout(120)
            catalog.read(writer, pid, "/api/v1/locations", {"type": "file", "target": str(made.root)})
            start.wait_for(lambda: catalog.count_entities(reader) >= count)
            return [_change(writer, reader, number % 20) for number in range(changes)]


def _change(writer: httpx.Client, reader: httpx.Client, number: int) -> float:
    mark = secrets.token_hex(8)
    text = ENTITY.format(number=number, mark=mark)
    writer.post("/api/v1/entities", content=text, headers={"content-type": "application/yaml"}).raise_for_status()
    began = time.perf_counter()
    path = f"/api/catalog/entities/by-name/component/default/seen-{number}"
    while mark not in reader.get(path).text:
        pass
    return (time.perf_counter() - began) * 1000


def main() -> None:
    """Measure, show and write down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--entities", type=int, default=10_000)
    parser.add_argument("--changes", type=int, default=200)
    parser.add_argument("--json", type=Path, default=Path("build/bench/replicas.json"))
    options = parser.parse_args()
    with start.scratch() as folder:
        found = sorted(measure(options.entities, options.changes, folder))
    result = {"median_ms": statistics.median(found), "p99_ms": found[int(len(found) * 0.99) - 1], "most_ms": found[-1]}
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"cores": os.cpu_count(), "entities": options.entities, **result}) + "\n")
    print(f"A change on another replica, {options.entities:,} entities, {len(found)} changes, ms:", result)


if __name__ == "__main__":
    main()

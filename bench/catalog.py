"""How fast the catalog answers, and what it costs, with 1,000 and 10,000 entities, or as many as one likes.

For each size: an empty installation, ingestion of the files, a second reading of the same files, then each request
driven by wrk over 16 and 64 connections with a token, names and terms at random; then a start with the full catalog
until a request is answered, with a snapshot of the index and without, and the memory of the server's process (PSS).
Prints a table and writes JSON.

With `--peers backstage` a real Backstage takes the same files in the same run and is driven the same way, also with a
token on each request; the table then has ratios: of the rates, and of the ingestion's seconds.

On a machine that does other work too, rates and seconds say little: the CPU time of the server's process, an operation,
is printed beside them.

    python bench/catalog.py [--sizes 1000 10000 100000] [--seconds 10] [--rounds 3] [--peers backstage]
        [--json build/bench/catalog.json]
"""

import argparse
import json
import os
import platform
import shutil
import statistics
import subprocess
import time
from pathlib import Path
from typing import Any

import entities
import httpx
import peer
import psutil
import start

CONNECTIONS = (16, 64)
SNAPSHOT = "catalog/index/manifest.json"
SMALLEST_SNAPSHOT = 2000
CONDITION = 'owner in subject.groups || metadata.labels["example.org/region"] == "eu-west-1"'
QUERY = "/api/catalog/entities/by-query"
FACETS = "/api/catalog/entity-facets"
REQUESTS = {
    "by name": "/api/catalog/entities/by-name/component/default/{name}",
    "by query: services, 20": f"{QUERY}?filter=kind=component,spec.type=service&limit=20",
    "list page: components by name, 20": f"{QUERY}?filter=kind=component&limit=20&orderField=metadata.name,asc",
    "full text in name and title, 20": (
        f"{QUERY}?fullTextFilterTerm={{word}}&fullTextFilterFields=metadata.name,metadata.title&limit=20"
    ),
    "facets: spec.type": f"{FACETS}?facet=spec.type",
    "facets: tags": f"{FACETS}?facet=metadata.tags",
}
SCRIPT = """
local names, words, path = {}, {}, %(path)s
for line in io.lines(%(names)s) do names[#names + 1] = line end
for line in io.lines(%(words)s) do words[#words + 1] = line end
math.randomseed(42)
wrk.headers["Authorization"] = "Bearer " .. %(token)s
request = function()
  local target = path:gsub("{name}", names[math.random(#names)]):gsub("{word}", words[math.random(#words)])
  return wrk.format("GET", target)
end
done = function(summary, latency)
  local errors = summary.errors
  io.write(string.format('\\n{"rate": %%f, "p50_ms": %%f, "p99_ms": %%f, "failed": %%d}\\n',
    summary.requests / summary.duration * 1e6, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
    errors.connect + errors.read + errors.write + errors.status + errors.timeout))
end
"""


def drive(address: str, script: Path, *, connections: int, seconds: int) -> dict[str, float]:
    """Return rate, p50 and p99 of one run of wrk."""
    done = subprocess.run(
        ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "60s", "-s", str(script), address],
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, float] = json.loads(done.stdout.strip().splitlines()[-1])
    if result["failed"] or not result["rate"]:
        raise SystemExit(f"{result['failed']} requests failed, or none was answered in {seconds} s:\n{done.stdout}")
    return result


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has taken, and those that it started and that have ended: its workers."""
    times = psutil.Process(pid).cpu_times()
    return float(times.user + times.system + times.children_user + times.children_system)


def measure_requests(pid: int, address: str, token: str, *, folder: Path, options: Any) -> dict[str, Any]:
    """Return the medians of each request by number of connections, and the CPU time of one, in microseconds.

    Args:
        pid: of the server.
        address: of the server.
        token: sent with each request.
        folder: with the names and words to draw from.
        options: of the command.
    """
    script = folder / "wrk.lua"
    found: dict[str, Any] = {}
    for name, path in REQUESTS.items():
        values = {"path": path, "names": str(folder / "names"), "words": str(folder / "words"), "token": token}
        script.write_text(SCRIPT % {key: json.dumps(value) for key, value in values.items()})
        found[name] = {}
        # What is built when it is first asked for may take longer than wrk goes on.
        first = path.format(name="nobody", word="service")
        httpx.get(f"{address}{first}", headers={"Authorization": f"Bearer {token}"}, timeout=120)
        for connections in CONNECTIONS:
            drive(address, script, connections=connections, seconds=2)
            before = cpu_seconds(pid)
            rounds = [
                drive(address, script, connections=connections, seconds=options.seconds) for _ in range(options.rounds)
            ]
            answered = sum(one["rate"] for one in rounds) * options.seconds
            found[name][connections] = {
                key: statistics.median(one[key] for one in rounds) for key in ("rate", "p50_ms", "p99_ms")
            } | {"cpu_us": (cpu_seconds(pid) - before) / answered * 1e6}
    return found


def open_narrowed(client: httpx.Client) -> str:
    """Return a token of somebody whose role lets them see about a third of the catalog."""
    role = {"permissions": ["catalog.entity.read"], "conditions": {"catalog.entity.read": CONDITION}}
    client.put("/api/v1/roles/bench", json=role).raise_for_status()
    account = {"name": "bench", "kind": "service", "roles": ["bench"]}
    client.post("/api/v1/accounts", json=account).raise_for_status()
    made = client.post("/api/v1/tokens", json={"name": "bench", "account": "bench"}).raise_for_status()
    return str(made.json()["value"])


def write_seen_names(address: str, token: str, folder: Path) -> None:
    """Have names drawn from what the holder of a token may see."""
    path = f"{address}/api/catalog/entities?filter=kind=component&fields=metadata.name"
    found = httpx.get(path, headers={"Authorization": f"Bearer {token}"}, timeout=60).raise_for_status().json()
    (folder / "names").write_text("\n".join(entity["metadata"]["name"] for entity in found) + "\n")


def read(client: httpx.Client, pid: int, path: str, body: dict[str, str] | None = None) -> tuple[float, float]:
    """Have a location read; returns the seconds until its run has ended well, and those of CPU."""
    began, before = time.monotonic(), cpu_seconds(pid)
    run_id = client.post(path, json=body).raise_for_status().json()["run_id"]
    while (run := client.get(f"/api/v1/runs/{run_id}").json())["state"] not in ("succeeded", "failed", "cancelled"):
        time.sleep(0.05)
    if run["state"] != "succeeded":
        raise SystemExit(f"the ingestion has {run['state']}: {run}")
    return time.monotonic() - began, cpu_seconds(pid) - before


def count_entities(client: httpx.Client) -> int:
    """Return how many entities the catalog answers from."""
    answer = client.get("/api/catalog/entity-facets?facet=kind").raise_for_status().json()
    return sum(kind["count"] for kind in answer["facets"]["kind"])


def measure(count: int, folder: Path, options: Any) -> dict[str, Any]:
    """Measure everything at one size."""
    home, data = folder / "home", folder / "data"
    home.mkdir(mode=0o755)
    made = entities.make(count, data)
    (folder / "names").write_text("\n".join(made.names["Component"]) + "\n")
    (folder / "words").write_text("\n".join(entities.WORDS) + "\n")
    found: dict[str, Any] = {}
    with start.server(home) as (pid, address, _):
        with start.open_client(home, address) as client:
            client.timeout = httpx.Timeout(120)
            body = {"type": "file", "target": str(made.root)}
            began, before = time.monotonic(), cpu_seconds(pid)
            read(client, pid, "/api/v1/locations", body)
            start.wait_for(lambda: count_entities(client) >= count)  # a large catalog is indexed after its run
            found["ingest_s"] = time.monotonic() - began
            found["ingest_cpu_s"] = cpu_seconds(pid) - before
            location = client.get("/api/v1/locations").json()["items"][-1]["id"]
            found["again_s"], found["again_cpu_s"] = read(client, pid, f"/api/v1/locations/{location}/refresh")
            token = client.headers["Authorization"].removeprefix("Bearer ")
            narrowed = open_narrowed(client)
        found["requests"] = measure_requests(pid, address, token, folder=folder, options=options)
        write_seen_names(address, narrowed, folder)
        found["narrowed"] = measure_requests(pid, address, narrowed, folder=folder, options=options)
        (folder / "names").write_text("\n".join(made.names["Component"]) + "\n")
        found["pss_mib"] = start.pss(pid)
        if count >= SMALLEST_SNAPSHOT:
            start.wait_for((home / SNAPSHOT).exists)
    found["start_s"], found["pss_started_mib"] = measure_start(home, token, count)
    (home / SNAPSHOT).unlink(missing_ok=True)
    found["start_loading_s"], _ = measure_start(home, token, count)
    if "backstage" in options.peers:
        with peer.run(made.root, count) as backstage:
            found["backstage"] = {
                "ingest_s": backstage.ingest_s,
                "pss_mib": backstage.most_mib,
                "requests": measure_requests(
                    backstage.pid, backstage.address, backstage.token, folder=folder, options=options
                ),
            }
    return found


def measure_start(home: Path, token: str, count: int) -> tuple[float, float]:
    """Return the seconds until a start has answered from the whole catalog, and its memory then in MiB."""
    began = time.monotonic()
    with start.server(home) as (pid, address, _):
        with httpx.Client(base_url=address, headers={"Authorization": f"Bearer {token}"}, timeout=120) as client:
            assert count_entities(client) >= count
        return time.monotonic() - began, start.pss(pid)


def show(results: dict[int, dict[str, Any]]) -> None:
    print(f"{'':<36}" + "".join(f"{size:>32,}" for size in results))
    for name in REQUESTS:
        for connections in CONNECTIONS:
            cells = [result["requests"][name][connections] for result in results.values()]
            line = "".join(
                f"{cell['rate']:>10,.0f}/s {cell['p99_ms']:>7.1f} ms {cell['cpu_us']:>5.0f} µs" for cell in cells
            )
            print(f"{name:<32}{connections:>4}{line}")
    print("\nFor a role that sees a third of the catalog:")
    for name in REQUESTS:
        cells = [(result["narrowed"][name][16], result["requests"][name][16]) for result in results.values()]
        line = "".join(
            f"{cell['rate']:>10,.0f}/s {cell['cpu_us']:>5.0f} µs, {cell['cpu_us'] / whole['cpu_us']:>9.2f} ×"
            for cell, whole in cells
        )
        print(f"{name:<32}{16:>4}{line}")
    for key, words in (
        ("ingest_s", "ingestion, s"),
        ("ingest_cpu_s", "ingestion, CPU s of server and workers"),
        ("again_s", "nothing changed, s"),
        ("again_cpu_s", "nothing changed, CPU s of the server"),
        ("start_s", "start, from a snapshot, s"),
        ("start_loading_s", "start, everything loaded, s"),
        ("pss_mib", "memory after the load, MiB (PSS)"),
        ("pss_started_mib", "memory after a start, MiB (PSS)"),
    ):
        print(f"{words:<36}" + "".join(f"{result[key]:>32.1f}" for result in results.values()))


def show_beside(size: int, ours: dict[str, Any], theirs: dict[str, Any]) -> None:
    """Print what Roadbed does beside its peer, and by how much."""
    print(f"\n{f'{size:,} entities':<36}{'Roadbed':>22}{'Backstage':>22}{'ratio':>8}")
    for name in REQUESTS:
        for connections in CONNECTIONS:
            cells = [one["requests"][name][connections] for one in (ours, theirs)]
            texts = "".join(f"{cell['rate']:>10,.0f}/s {cell['p99_ms']:>6,.0f} ms" for cell in cells)
            print(f"{name:<32}{connections:>4}{texts}{cells[0]['rate'] / cells[1]['rate']:>8.1f}")
    for key, words in (("ingest_s", "ingestion, s"), ("pss_mib", "memory, MiB (PSS)")):
        print(f"{words:<36}{ours[key]:>22.1f}{theirs[key]:>22.1f}{theirs[key] / ours[key]:>8.1f}")


def main() -> None:
    """Measure all sizes, show them and write them down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000])
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--peers", nargs="+", choices=["backstage"], default=[])
    parser.add_argument("--json", type=Path, default=Path("build/bench/catalog.json"))
    options = parser.parse_args()
    if shutil.which("wrk") is None:
        raise SystemExit("wrk is not there. On Debian: apt-get install wrk")
    results = {}
    for size in options.sizes:
        with start.scratch() as folder:
            results[size] = measure(size, folder, options)
    machine = (
        f"{os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB, Python {platform.python_version()}"
    )
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps({"machine": machine, "sizes": results}, indent=1) + "\n")
    print(
        f"Medians of {options.rounds} rounds of {options.seconds} s on {machine}; requests/s, p99 and CPU of a request"
    )
    show(results)
    for size, result in results.items():
        if "backstage" in result:
            show_beside(size, result, result["backstage"])


if __name__ == "__main__":
    main()

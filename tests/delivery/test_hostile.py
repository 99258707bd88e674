"""Code that means harm: what it leaves behind, and what it leaves running. All of it ends in words."""

import json
from pathlib import Path
from uuid import UUID, uuid4

from roadbed.delivery.workflows.runner import Runner
from tests.delivery.conftest import Shop, steps_of
from tests.waiting import wait_for

BOMB = "".join(f'<!ENTITY e{it} "{f"&e{it - 1};" * 10}">' for it in range(1, 10))
REPORTS = {
    "bomb": (f'<!DOCTYPE t [<!ENTITY e0 "ha">{BOMB}]><testsuite name="&e9;"/>', "entities"),
    "outside": ('<!DOCTYPE t [<!ENTITY x SYSTEM "file:///etc/passwd">]><testsuite name="&x;"/>', "entities"),
    "parameter": ('<!DOCTYPE t [<!ENTITY % x SYSTEM "file:///etc/passwd"> %x;]><testsuite/>', "entities"),
    "deep": ("<testsuite>" * 5_000, "nested"),
    "none": ("all is well", "not XML"),
    "words": ('<?xml version="1.0" encoding="nowhere"?><testsuite/>', "not XML"),
}
MADE = {
    "large": ("truncate -s 100M {}", "more than 30,000,000 bytes"),
    "link": ("ln -s /etc/passwd {}", "leads out"),
    "around": ("ln -s ../../../../../secrets.key {}", "leads out"),
    "pipe": ("mkfifo {}", "not a file"),
    "folder": ("mkdir {}", "not a file"),
}
COUNTS = """<testsuite tests="-5" failures="99999999999999999999" time="1e999">
<testcase name="a" time="1e308"/><testcase name="b" time="1e308"/><testcase name="c" time="-1"/></testsuite>"""
PIPELINE = """
apiVersion: roadbed.dev/v1
kind: Pipeline
metadata: {{name: {name}}}
spec:
  version: "1"
  stages:
    - id: hostile
      steps:
        - make: hostile
          reports:
            - {{type: junit, path: "build/hostile/*.xml"}}
            - {{type: scan, path: build/hostile.json}}
"""


def test_hostile_reports_are_named_with_the_reason_and_do_not_count(shop: Shop) -> None:
    shop.uses_pipeline(PIPELINE.format(name=shop.name))
    shop.files |= {f"reports/{name}.xml": text for name, (text, _) in REPORTS.items()}
    shop.files["reports/counts.xml"] = COUNTS
    check = {"name": "nul\0", "state": "passed", "detail": "\ud800"}
    shop.files["hostile.json"] = json.dumps({"checks": [check]})
    made = "; ".join(command.format(f"build/hostile/{name}.xml") for name, (command, _) in MADE.items())
    name = "touch \"build/hostile/$$(printf '\\377').xml\""
    shop.targets["hostile"] = f"mkdir -p build/hostile; cp reports/* build/hostile; cp *.json build; {made}; {name}"
    run = shop.ends(shop.push("work"))
    assert run["state"] == "succeeded", run["error"]
    detail, log = shop.detail(run["id"]), shop.log(run["id"], "hostile")
    found = {report["path"].removeprefix("build/hostile/"): report for report in detail["reports"]}
    for name, (_, reason) in {**REPORTS, **MADE}.items():
        assert found[f"{name}.xml"]["state"] == "unreadable", name
        assert reason in found[f"{name}.xml"]["summary"]["reason"], name
        assert f"build/hostile/{name}.xml cannot be read" in log
    assert (detail["tests"]["total"], detail["tests"]["failed"]) == (4, 0)
    assert found["build/hostile.json"]["summary"]["checks"][0]["name"] == "nul\N{REPLACEMENT CHARACTER}"
    page = shop.client.get(f"/runs/{run['id']}/tests")
    assert page.status_code == 200
    assert "root:x:0" not in page.text + json.dumps(detail)


def test_bytes_that_are_no_text_are_shown_as_well_as_can_be(shop: Shop) -> None:
    shop.targets["test"] = "printf 'a\\000b\\377c\\n'; exit 1"
    run = shop.ends(shop.push("work"))
    assert (
        run["error"]["message"] == "make test ended with code 2: a\N{REPLACEMENT CHARACTER}b\N{REPLACEMENT CHARACTER}c"
    )


def test_daemons_of_a_stage_end_with_it(shop: Shop) -> None:
    mark = f"300.{uuid4().int % 10**9}"
    twice = (
        "import os, sys\nif os.fork(): sys.exit()\nos.setsid()\nif os.fork(): sys.exit()\n"
        "os.environ.clear()\nos.execve('/bin/sleep', ['sleep', sys.argv[1]], {})\n"
    )
    shop.files["daemon.py"] = twice
    shop.targets["test"] = (
        f"python3 daemon.py {mark}; setsid sleep {mark} & (setsid nohup sleep {mark} >/dev/null 2>&1 &); echo left"
    )
    run = shop.ends(shop.push("work"))
    assert run["state"] == "succeeded", run["error"]
    assert "left" in shop.log(run["id"], "test")
    assert not [path for path in Path("/proc").glob("[0-9]*/cmdline") if has(path, mark)]


def has(path: Path, mark: str) -> bool:
    try:
        return mark.encode() in path.read_bytes()
    except OSError:  # it has ended
        return False


def test_retry_waits_until_the_place_of_its_run_is_cleared(shop: Shop) -> None:
    """What follows the end of a run puts its cache away, perhaps just when somebody retries it."""
    shop.targets["test"] = "test -e ../second || { touch ../second; echo kept > $$XDG_CACHE_HOME/it; exit 1; }"
    shop.targets["test"] += "; cat $$XDG_CACHE_HOME/it"
    commit = shop.push("work")
    run = shop.ends(commit)
    shop.statuses(commit, until={"pipeline": "failure"})
    runner = shop.server.services.get(Runner)
    lock, place = runner.lock_of(UUID(run["id"])), runner.folders.place_of(UUID(run["id"]))
    wait_for(lambda: not lock.locked() and not place.cache.exists())
    shop.server.run(lock.acquire())
    shop.client.post(f"/api/v1/runs/{run['id']}/retry")
    wait_for(lambda: steps_of(shop.run(run["id"]))["test"] == "running")
    assert not place.cache.exists(), "nobody takes a cache while the place is cleared"
    shop.server.loop.call_soon_threadsafe(lock.release)
    again = shop.run_ends(run["id"])
    assert again["state"] == "succeeded", again["error"]
    assert "kept" in shop.log(run["id"], "test")

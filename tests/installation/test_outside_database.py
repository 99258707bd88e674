"""The database part of the suite, once more, on a PostgreSQL that Roadbed did not start."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.folders import let_postgres_pass
from tests.installation.support import newest_system_programs, outside_server

ROOT = Path(__file__).parents[2]
DATABASE_PART = [
    "tests/core/test_events.py",
    "tests/core/test_schema.py",
    "tests/core/test_health.py",
    "tests/runs/test_runs.py",
    "tests/audit/test_audit.py",
    "tests/catalog/test_ingestion.py",
]


@pytest.mark.slow
def test_database_part_of_the_suite_passes_on_an_outside_server(tmp_path: Path) -> None:
    programs = newest_system_programs()
    if programs is None:
        pytest.skip("no PostgreSQL ≥ 15 is installed in /usr/lib/postgresql")
    let_postgres_pass(tmp_path)
    with outside_server(programs, tmp_path / "outside") as url:
        environment = os.environ | {"ROADBED_TEST_DATABASE_URL": url}
        environment.pop("PYTEST_XDIST_WORKER", None)
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:xdist", *DATABASE_PART]
        result = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout[-5000:]
    assert "passed" in result.stdout

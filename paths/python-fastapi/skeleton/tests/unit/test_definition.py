"""openapi.yaml, which the catalog shows, is what the service really offers."""

from pathlib import Path

import yaml
from fastapi.testclient import TestClient

REFRESH = "PYTHONPATH=src .venv/bin/python tools/openapi.py"


def test_definition_is_current(client: TestClient) -> None:
    written = yaml.safe_load(Path("openapi.yaml").read_text(encoding="utf-8"))

    assert written == client.get("/openapi.json").json(), f"Run `{REFRESH}`."

"""Renders a golden path's folders as its steps do, for the tests and for `python -m tests.paths.refresh`."""

from pathlib import Path
from typing import Any

import yaml

from roadbed.core.templating import TemplateEngine

PATHS = Path(__file__).parents[2] / "paths"
PARAMETERS: dict[str, Any] = {
    "name": "orders",
    "description": 'Takes "orders": and <keeps> them, at 100 % & more.',
    "owner": "group:default/payments",
    "system": "checkout",
    "lifecycle": "experimental",
}


def render_path(path: str, target: Path, **parameters: Any) -> None:
    """Run the steps that render, with these parameters over the usual ones."""
    engine = TemplateEngine()
    context = {"parameters": PARAMETERS | parameters}
    template = yaml.safe_load((PATHS / path / "template.yaml").read_text(encoding="utf-8"))
    for step in template["spec"]["steps"]:
        if step["action"] == "fetch:template" and engine.render_value(step.get("if", True), context):
            values = engine.render_value(step["input"].get("values", {}), context)
            engine.render_tree(PATHS / path / step["input"]["url"], target, {"values": values})

"""Renders a golden path's folders as its steps do, for the tests and for `python -m tests.paths.refresh`."""

from collections.abc import Mapping
from pathlib import Path

import yaml
from jinja2 import StrictUndefined
from jinja2.sandbox import SandboxedEnvironment

PATHS = Path(__file__).parents[2] / "paths"
VALUES = {
    "name": "orders",
    "description": 'Takes "orders": and <keeps> them, at 100 % & more.',
    "owner": "group:default/payments",
    "system": "checkout",
    "lifecycle": "experimental",
    "postgresSize": "small",
}


def render_path(path: str, target: Path, *, postgres: bool, **values: str) -> None:
    """Render the folders whose step's condition holds, in the order of the steps."""
    context = {"values": VALUES | values | {"postgres": postgres}}
    template = yaml.safe_load((PATHS / path / "template.yaml").read_text(encoding="utf-8"))
    for step in template["spec"]["steps"]:
        if step["action"] == "fetch:template" and (postgres or "if" not in step):
            _render_folder(PATHS / path / step["input"]["url"], target, context)


def _render_folder(source: Path, target: Path, context: Mapping[str, object]) -> None:
    environment = SandboxedEnvironment(
        variable_start_string="${{",
        variable_end_string="}}",
        keep_trailing_newline=True,
        undefined=StrictUndefined,
        autoescape=False,
    )
    for file in sorted(source.rglob("*")):
        if file.is_file() and "__pycache__" not in file.parts:
            name = environment.from_string(str(file.relative_to(source))).render(context)
            rendered = target / name
            rendered.parent.mkdir(parents=True, exist_ok=True)
            text = environment.from_string(file.read_text(encoding="utf-8")).render(context)
            rendered.write_text(text, encoding="utf-8")

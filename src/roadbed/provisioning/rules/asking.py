"""The questions of the form that asks for a resource, as one schema: where, which, and what its type takes."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roadbed.core.forms import Schema
from roadbed.kit.text import slugify
from roadbed.provisioning.rules.requests import ID_PATTERN, LONGEST_ID
from roadbed.provisioning.types import DEFAULT_CLASS

APPLICATION = "application"
_ID_WHY = (
    "Type and id name the resource for good: they stand in the name of what is made and of its secrets. To change "
    "them, ask for another one and move the data."
)
_ID_HINT = "Use lower-case letters, digits and dashes, beginning and ending with a letter or digit."


@dataclass(frozen=True)
class Option:
    """Something that can be chosen, with what it means."""

    name: str
    title: str
    description: str = ""

    def as_branch(self) -> dict[str, str]:
        return {"const": self.name, "title": self.title} | (
            {"description": self.description} if self.description else {}
        )


def make_schema(spec: Mapping[str, Any], *, types: Sequence[Option], environments: Sequence[Option]) -> Schema:
    """Return the schema of a request for the resource type whose spec is given; the first of `types` is that type."""
    properties: dict[str, Any] = {
        "type": _choice("Type", types) if len(types) > 1 else {"const": types[0].name},
        APPLICATION: {
            "type": "string",
            "title": "Application",
            "description": "The system or component that it is for. Its owner will own it.",
            "minLength": 1,
            "maxLength": 300,
            "ui:field": "Application",
            "ui:placeholder": "component:orders",
        },
        "environment": _choice("Environment", environments),
        "id": {
            "type": "string",
            "title": "Id",
            "description": "Its name in the environment, as in the Score file.",
            "pattern": ID_PATTERN,
            "maxLength": LONGEST_ID,
            "ui:placeholder": "db",
            "ui:errorMessage": _ID_HINT,
            "ui:why": _ID_WHY,
        },
        "class": _class_question(spec.get("classes", ())),
    }
    parameters = spec["parameters"]
    if parameters.get("properties"):
        properties["params"] = {"title": "Parameters", **parameters, "type": "object"}
    shared = {word: parameters[word] for word in ("definitions", "$defs") if word in parameters}
    return {"type": "object", "properties": properties, "required": list(properties), **shared}


def _choice(title: str, options: Sequence[Option]) -> dict[str, Any]:
    return {"type": "string", "title": title, "default": options[0].name, "oneOf": [one.as_branch() for one in options]}


def _class_question(classes: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    if not classes:
        return {"const": DEFAULT_CLASS}
    named = [Option(one["name"], one.get("title") or one["name"], one.get("description", "")) for one in classes]
    default = Option(DEFAULT_CLASS, "As usual", "What the platform gives without a wish.")
    return _choice("Class", [one for one in (default, *named) if one is default or one.name != DEFAULT_CLASS])


def write_command(values: Mapping[str, Any]) -> str:
    """Return the same request for the shell."""
    words = ["roadbed", "resources", "request", str(values.get("type", ""))]
    where = (APPLICATION, "environment", "id", "class")
    lines = [" ".join(map(shlex.quote, words))]
    lines += [f"--{name} {shlex.quote(str(values.get(name) or '…'))}" for name in where]
    for name, value in (values.get("params") or {}).items():
        items = value if isinstance(value, list) else [value]
        lines += [f"--set {shlex.quote(f'{name}={_write(item)}')}" for item in items]
    return " \\\n  ".join([*lines, "--wait"])


def write_score(type_: str, name: str, class_: str, *, outputs: Sequence[str]) -> str:
    """Return what gives a workload a resource, in its Score file: the url where there is one, else all outputs."""
    given = ["url"] if "url" in outputs else outputs
    names = {output: f"{slugify(name)}_{slugify(output)}".replace("-", "_").upper() for output in given}
    if given == ["url"] and type_ == "postgres":
        names = {"url": "DATABASE_URL"}
    variables = [f"      {variable}: ${{resources.{name}.{output}}}" for output, variable in names.items()]
    resource = ["resources:", f"  {name}:", f"    type: {type_}"]
    resource += [] if class_ == DEFAULT_CLASS else [f"    class: {class_}"]
    return "\n".join(["containers:", "  main:", "    variables:", *variables, *resource])


def _write(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

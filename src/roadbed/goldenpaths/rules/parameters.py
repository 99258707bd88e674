"""A path's parameters: pages of JSON Schema over `core.forms`, and what is wrong with values across all pages."""

from collections.abc import Mapping, Sequence
from copy import deepcopy
from difflib import get_close_matches
from typing import Any

from roadbed.core import forms
from roadbed.goldenpaths.types import Fault, ParameterPage

SECRET_FIELD = "SecretReference"  # noqa: S105 - the name of a picker
_SECRET = {
    "ui:field": SECRET_FIELD,
    "pattern": "^secret://",
    "ui:errorMessage": "Give a reference such as secret://team/name. The value itself belongs into Secrets.",
    "ui:placeholder": "secret://team/name",
}


def read_pages(spec: Mapping[str, Any]) -> list[ParameterPage]:
    """Return the pages of a template's parameters; secrets are asked for as references."""
    parameters = spec.get("parameters") or []
    schemas = [parameters] if isinstance(parameters, Mapping) else list(parameters)
    pages = []
    for number, schema in enumerate(schemas, 1):
        own = {"type": "object", **deepcopy(dict(schema))}
        _guard_secrets(own)
        description = str(own.get("description") or "")
        pages.append(ParameterPage(number, str(own.get("title") or f"Page {number}"), description, own))
    return pages


def fill_defaults(pages: Sequence[ParameterPage], values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values with the defaults of what was not answered, also where an answer brings further questions."""
    filled = dict(values)
    for page in pages:
        filled = forms.fill_defaults(page.schema, filled)
    return filled


def values_of(page: ParameterPage, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return those of all values that answer questions of one page, with the answers that it asks no more."""
    names = {name for part in forms.walk_parts(page.schema) for name in part.get("properties") or {}}
    return {name: value for name, value in values.items() if name in names}


def list_titles(page: ParameterPage) -> list[tuple[str, str]]:
    """Return every question that a page may ask with its title, in order."""
    found: dict[str, str] = {}
    for part in forms.walk_parts(page.schema):
        for name, declared in (part.get("properties") or {}).items():
            if isinstance(declared, Mapping) and ("title" in declared or "type" in declared):
                found.setdefault(name, str(declared.get("title") or name))
    return list(found.items())


def check_values(pages: Sequence[ParameterPage], values: Mapping[str, Any]) -> list[Fault]:
    """Return everything that is wrong with values, in the order of the pages."""
    faults = []
    asked: list[str] = []
    possible: set[str] = set()
    for page in pages:
        own = values_of(page, values)
        possible |= set(own)
        questions = forms.list_questions(page.schema, own).properties
        asked += questions
        problems = forms.check_answers(page.schema, {name: own[name] for name in own if name in questions})
        faults += [Fault(page.number, problem.name, problem.message, problem.suggestion) for problem in problems]
    for name in values:
        if name not in asked:
            faults.append(_not_asked(name, asked, is_possible=name in possible))
    return faults


def _not_asked(name: str, asked: Sequence[str], *, is_possible: bool) -> Fault:
    if is_possible:
        return Fault(0, name, f"With the other answers, {name} is not asked for. Leave it out, or change them.")
    near = get_close_matches(name, asked, n=1)
    hint = f"Did you mean {near[0]}?" if near else f"It asks for: {', '.join(asked) or 'nothing'}."
    return Fault(0, name, f"This path does not ask for {name}. {hint}", near[0] if near else None)


def _guard_secrets(schema: dict[str, Any]) -> None:
    """Ask for references where a template asks for secrets: runs, repositories and logs would keep the values."""
    for part in forms.walk_parts(schema):
        for declared in (part.get("properties") or {}).values():
            if not isinstance(declared, dict):
                continue
            if declared.get("ui:field") == "Secret" or declared.get("ui:widget") == "password":
                declared.pop("ui:widget", None)
                declared.update(_SECRET)
            elif declared.get("properties"):
                _guard_secrets(declared)

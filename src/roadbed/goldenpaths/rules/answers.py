"""Answers in words: as people read them before they start, as a command for the shell, and files as a tree."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roadbed.core import forms
from roadbed.goldenpaths.rules.parameters import fill_defaults, values_of
from roadbed.goldenpaths.types import GoldenPath, ParameterPage
from roadbed.kit.refs import DEFAULT_NAMESPACE

_LONGEST_LINE = 72


@dataclass(frozen=True)
class Answer:
    """A question with its answer in words; `text` is empty where nothing was answered, `note` says more about it."""

    label: str
    text: str
    note: str = ""
    is_mono: bool = False


def keep_asked(page: ParameterPage, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the answers to what a page asks with these answers."""
    own = values_of(page, values)
    asked = forms.list_questions(page.schema, own).properties
    return {name: value for name, value in own.items() if name in asked}


def replace_page(page: ParameterPage, values: Mapping[str, Any], answers: Mapping[str, Any]) -> dict[str, Any]:
    """Return all values with those of one page exchanged."""
    own = values_of(page, values)
    return {**{name: value for name, value in values.items() if name not in own}, **answers}


def describe_page(page: ParameterPage, values: Mapping[str, Any], choices: Mapping[str, forms.Choices]) -> list[Answer]:
    """Return the questions of a page with what was answered."""
    own = forms.fill_defaults(page.schema, values_of(page, values))
    defaults = forms.fill_defaults(page.schema, {})
    fields = forms.make_fields(page.schema, own, choices=choices)
    same = {name for name, value in own.items() if name in defaults and defaults[name] == value}
    return list(_describe(fields, same))


def _describe(fields: Sequence[forms.Field], defaults: set[str], prefix: str = "") -> Iterator[Answer]:
    for field in fields:
        if field["kind"] == "hidden":
            continue
        label = prefix + field["label"]
        if field["kind"] == "object":
            yield from _describe(field["fields"], defaults, prefix=f"{label}: ")
            continue
        text, _, note = _words(field).partition(" · ") if "options" in field else (_words(field), "", "")
        is_mono = field["kind"] == "text" and ("/" in text or field["name"].rpartition(".")[2] == "name")
        if text and field["name"] in defaults:
            note = "default"
        yield Answer(label, text, note, is_mono)


def _words(field: forms.Field) -> str:
    value = field.get("value")
    if field["kind"] == "boolean":
        return "yes" if value else "no"
    labels = {option["value"]: option["label"] for option in field.get("options", ())}
    if isinstance(value, list):
        return ", ".join(labels.get(item, str(item)) for item in value)
    if value is None or value == "":
        return ""
    return str(labels.get(value, value))


def write_command(path: GoldenPath, pages: Sequence[ParameterPage], values: Mapping[str, Any]) -> str:
    """Return the command that starts the same run; what equals its default is left out."""
    name = path.name if path.namespace.lower() == DEFAULT_NAMESPACE else f"{path.namespace}/{path.name}"
    parts = [f"roadbed create {shlex.quote(name.lower())} --wait"]
    for key, value in values.items():
        without = {other: values[other] for other in values if other != key}
        if fill_defaults(pages, without).get(key, _NOTHING) != value:
            parts.append(f"--set {shlex.quote(f'{key}={write_value(value)}')}")
    line = " ".join(parts)
    return line if len(line) <= _LONGEST_LINE else " \\\n  ".join(parts)


_NOTHING = object()


def write_value(value: Any) -> str:
    """Return a value as `--set` takes it: a text as it is, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def draw_tree(top: str, files: Sequence[str]) -> str:
    """Return paths as a tree, folders before files."""
    tree: dict[str, Any] = {}
    for path in files:
        at = tree
        *folders, name = path.split("/")
        for folder in folders:
            at = at.setdefault(f"{folder}/", {})
        at[name] = None
    return "\n".join([top, *_branches(tree, "")])


def _branches(tree: Mapping[str, Any], indent: str) -> Iterator[str]:
    names = sorted(tree, key=lambda name: (tree[name] is None, name))
    for name in names:
        is_last = name == names[-1]
        yield f"{indent}{'└─' if is_last else '├─'} {name}"
        if tree[name] is not None:
            yield from _branches(tree[name], f"{indent}{'   ' if is_last else '│  '}")

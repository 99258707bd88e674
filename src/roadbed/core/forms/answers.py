"""From a posted form back to typed values."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from roadbed.core.forms.fields import is_json, list_options, write_text
from roadbed.core.forms.questions import ROUNDS, Schema, is_group, join_name, list_questions, type_of

_WHOLE = re.compile(r"[+-]?[0-9]+(\.0*)?")
_NUMBER = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]+)?")
_NOTHING: Any = object()
LONGEST_NUMBER = 100

Posted = Mapping[str, Sequence[str]]


def group_pairs(pairs: Iterable[tuple[str, Any]]) -> dict[str, list[str]]:
    """Return the texts of a form by name, as `read_answers` takes them: `group_pairs(form.multi_items())`."""
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        if isinstance(value, str):
            grouped.setdefault(name, []).append(value)
    return grouped


def read_answers(schema: Schema, posted: Posted, *, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return the answers of a form.

    Only what is asked is read: an answer to a question that another answer took away is dropped. What cannot be read
    as its type stays the text that was typed; `check_answers` says what is wrong with it. An empty text is no answer,
    unless the property has a default and may be left empty.

    Args:
        schema: of an object.
        posted: all texts by the name of their field.
        path: the properties above this object.
    """
    values: dict[str, Any] = {}
    for _ in range(ROUNDS):
        before = values
        values = {}
        questions = list_questions(schema, before)
        for name, declared in questions.properties.items():
            value = _read_property(declared, posted, (*path, name), is_required=name in questions.required)
            if value is not _NOTHING:
                values[name] = value
        if values == before:
            break
    return values


def _read_property(schema: Schema, posted: Posted, path: tuple[str, ...], *, is_required: bool) -> Any:
    if "const" in schema:
        return schema["const"]
    if is_group(schema):
        inner = read_answers(schema, posted, path=path)
        return inner if inner or is_required else _NOTHING
    texts = posted.get(join_name(path), ())
    if type_of(schema) == "array" and not is_json(schema):
        return _read_list(schema, texts, is_required=is_required)
    if not texts:
        return schema.get("default", _NOTHING) if _is_disabled(schema) else _NOTHING
    # A box posts "false" and, when it is ticked, "true" behind it.
    text = texts[-1].replace("\r\n", "\n")
    if text.strip() == "":
        is_kept = not is_required and "default" in schema and _takes_empty(schema)
        return "" if is_kept else _NOTHING
    return _read_text(schema, text)


def _read_text(schema: Schema, text: str) -> Any:
    options = list_options(schema)
    if options:
        return next((value for value, _, _ in options if write_text(value) == text), text)
    if is_json(schema):
        return _read_json(text)
    kind = type_of(schema)
    if kind == "boolean":
        return {"true": True, "false": False}.get(text, text)
    if kind in ("integer", "number"):
        return _read_number(text.strip(), is_whole=kind == "integer")
    is_secret = schema.get("ui:widget") == "password"
    return text if is_secret or schema.get("ui:widget") == "textarea" else text.strip()


def _read_json(text: str) -> Any:
    try:
        return json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError):
        return text


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")


def _read_number(text: str, *, is_whole: bool) -> Any:
    if len(text) > LONGEST_NUMBER:
        return text
    if _WHOLE.fullmatch(text):
        return int(text.split(".", maxsplit=1)[0])
    if _NUMBER.fullmatch(text) and not is_whole:
        number = float(text)
        return number if number not in (float("inf"), float("-inf")) else text
    return text


def _read_list(schema: Schema, texts: Sequence[str], *, is_required: bool) -> Any:
    items = [_read_text(schema.get("items", {}), text) for text in texts if text.strip()]
    return items if items or is_required or "default" in schema else _NOTHING


def _takes_empty(schema: Schema) -> bool:
    return type_of(schema) == "string" and not list_options(schema)


def _is_disabled(schema: Schema) -> bool:
    return bool(schema.get("readOnly") or schema.get("ui:readonly") or schema.get("ui:disabled"))

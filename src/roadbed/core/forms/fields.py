"""From a schema and values to the fields that the macro `ui.field` draws (docs/contributing/pages.md)."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from roadbed.core.forms.problems import FieldProblem
from roadbed.core.forms.questions import Schema, is_group, join_name, list_deciders, list_questions, type_of

Field = dict[str, Any]
Values = Mapping[str, Any]

_INPUT_TYPES = {"email": "email", "uri": "url", "url": "url", "date": "date"}


@dataclass(frozen=True)
class Choices:
    """What can be chosen in a picker.

    Args:
        options: value and label each.
        is_closed: nothing else is possible; otherwise the options are suggestions.
    """

    options: Sequence[tuple[str, str]]
    is_closed: bool = True


@dataclass(frozen=True)
class Picker:
    """A property that asks for something that the platform knows: `ui:field` and `ui:options`."""

    kind: str
    options: Mapping[str, Any]


def find_pickers(schema: Schema, values: Values, *, path: tuple[str, ...] = ()) -> dict[str, Picker]:
    """Return the pickers among the questions that are asked, by the name of their field."""
    found: dict[str, Picker] = {}
    for name, declared in list_questions(schema, values).properties.items():
        here = (*path, name)
        if isinstance(declared.get("ui:field"), str):
            found[join_name(here)] = Picker(declared["ui:field"], _options(declared))
        elif is_group(declared):
            found |= find_pickers(declared, _inner(values, name), path=here)
    return found


def make_fields(
    schema: Schema,
    values: Values,
    *,
    problems: Sequence[FieldProblem] = (),
    choices: Mapping[str, Choices] | None = None,
    path: tuple[str, ...] = (),
) -> list[Field]:
    """Return the fields of the questions that are asked.

    Args:
        schema: of an object.
        values: the answers so far; a text where a number is wanted is shown as it was typed.
        problems: shown at their fields.
        choices: what the pickers offer, by the name of their field; one without any is a text.
        path: the properties above this object.
    """
    questions = list_questions(schema, values)
    deciders = list_deciders(schema)
    fields = []
    for name, declared in questions.properties.items():
        here = (*path, name)
        made = _frame(here, declared, is_required=name in questions.required)
        if is_group(declared):
            inner = _inner(values, name)
            made |= {"kind": "object"}
            made["fields"] = make_fields(declared, inner, problems=problems, choices=choices, path=here)
        else:
            made |= _input(declared, values.get(name), (choices or {}).get(made["name"]), made)
        problem = next((problem for problem in problems if problem.name == made["name"]), None)
        if problem is not None:
            made["error"] = {"message": problem.message, "suggestion": problem.suggestion}
        if name in deciders:
            made["decides"] = True
        fields.append(made)
    return fields


def list_errors(fields: Sequence[Field]) -> list[dict[str, str]]:
    """Return the errors of fields for the macro `ui.error_list`, those inside groups too."""
    errors = []
    for made in fields:
        if made.get("error"):
            errors.append({"id": made["id"], "label": made["label"], "message": made["error"]["message"]})
        errors += list_errors(made.get("fields", ()))
    return errors


def list_options(schema: Schema) -> list[tuple[Any, str, str | None]]:
    """Return what can be chosen for a property as value, label and description; nothing when it is open."""
    if isinstance(schema.get("enum"), list):
        names = schema.get("enumNames") or schema.get("ui:enumNames") or _options(schema).get("enumNames") or []
        labels = [*map(str, names), *(write_text(value) for value in schema["enum"][len(names) :])]
        return [(value, label, None) for value, label in zip(schema["enum"], labels, strict=False)]
    branches = schema.get("oneOf") or schema.get("anyOf") or []
    if branches and all(isinstance(branch, Mapping) and "const" in branch for branch in branches):
        return [
            (branch["const"], str(branch.get("title", write_text(branch["const"]))), branch.get("description"))
            for branch in branches
        ]
    return []


def write_text(value: Any) -> str:
    """Return a value as a form carries it: texts as they are, everything else as JSON."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def is_json(schema: Schema) -> bool:
    """Tell whether a property is asked as JSON, because no input fits it."""
    kind = type_of(schema)
    if list_options(schema):
        return False
    if kind == "array":
        items = schema.get("items", {})
        return not isinstance(items, Mapping) or type_of(items) not in ("string", "number", "integer")
    return kind not in ("string", "number", "integer", "boolean") and not isinstance(schema.get("ui:field"), str)


def _frame(path: tuple[str, ...], schema: Schema, *, is_required: bool) -> Field:
    """Return what every field has, whatever its kind."""
    name = join_name(path)
    words = [str(schema[word]).strip() for word in ("description", "ui:description", "ui:help") if schema.get(word)]
    examples = schema.get("examples") or [None]
    options = _options(schema)
    attrs: dict[str, Any] = {}
    if _flag(schema, "autofocus"):
        attrs["autofocus"] = ""
    return {
        "name": name,
        "id": f"f-{name.replace('.', '-').replace('~', '-')}",
        "label": str(schema.get("title") or path[-1]),
        "help": " ".join(words) or None,
        "why": schema.get("ui:why"),
        "is_required": is_required,
        "is_disabled": _flag(schema, "disabled") or _flag(schema, "readonly") or bool(schema.get("readOnly")),
        "placeholder": schema.get("ui:placeholder") or options.get("placeholder") or examples[0],
        "unit": options.get("unit"),
        "attrs": attrs,
    }


def _input(schema: Schema, value: Any, offered: Choices | None, made: Field) -> Field:
    """Return the kind of a field and what that kind needs."""
    widget = schema.get("ui:widget") or _options(schema).get("widget")
    if widget == "hidden" or ("const" in schema and not schema.get("title")):
        held = schema.get("const", value)
        return {"kind": "hidden", "value": "" if held is None else write_text(held)}
    if widget == "password" or schema.get("ui:field") == "Secret":
        return {"kind": "secret", "attrs": {**made["attrs"], **_text_limits(schema), "autocomplete": "off"}}
    if offered is not None and type_of(schema) != "array":
        return _picked(offered, value, made)
    if is_json(schema):
        return _json(value, made)
    if type_of(schema) == "array":
        return _many(schema, value, offered)
    options = list_options(schema)
    if type_of(schema) == "boolean" and not options:
        return _yes_or_no(value, widget, made)
    if options:
        return _one_of(options, value, widget, is_required=made["is_required"])
    return _line(schema, value, widget, made)


def _json(value: Any, made: Field) -> Field:
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value, indent=2, ensure_ascii=False)
    help_text = " ".join(filter(None, [made["help"], "Written as JSON."]))
    return {"kind": "multiline", "mono": True, "value": text, "help": help_text}


def _line(schema: Schema, value: Any, widget: Any, made: Field) -> Field:
    """Return a number or a text."""
    text = "" if value is None else write_text(value)
    if type_of(schema) in ("integer", "number"):
        # What was typed and is no number can only be shown in a text.
        kind = "text" if isinstance(value, str) else "number"
        return {"kind": kind, "value": text, "attrs": {**made["attrs"], **_number_limits(schema)}}
    attrs = {**made["attrs"], **_text_limits(schema)}
    if widget == "textarea":
        return {"kind": "multiline", "value": text, "attrs": attrs}
    return {"kind": "text", "value": text, "input_type": _INPUT_TYPES.get(str(schema.get("format"))), "attrs": attrs}


def _picked(offered: Choices, value: Any, made: Field) -> Field:
    options = [(option, label, None) for option, label in offered.options]
    if offered.is_closed:
        return _one_of(options, value, None, is_required=made["is_required"])
    suggestions = [{"value": option, "label": label} for option, label in offered.options]
    return {"kind": "text", "value": "" if value is None else write_text(value), "suggestions": suggestions}


def _many(schema: Schema, value: Any, offered: Choices | None) -> Field:
    chosen = [write_text(item) for item in value] if isinstance(value, list) else []
    options = list_options(schema.get("items", {}))
    if offered is not None and offered.is_closed:
        options = [(option, label, None) for option, label in offered.options]
    if not options:
        return {"kind": "list", "value": chosen}
    return {"kind": "checkboxes", "value": chosen, "options": [_option(option) for option in options]}


def _yes_or_no(value: Any, widget: Any, made: Field) -> Field:
    if widget not in ("radio", "select"):
        # A box that is not ticked is an answer, so nothing can be required of it.
        return {"kind": "boolean", "value": value is True, "is_required": False}
    return _one_of([(True, "Yes", None), (False, "No", None)], value, widget, is_required=made["is_required"])


def _one_of(options: Sequence[tuple[Any, str, str | None]], value: Any, widget: Any, *, is_required: bool) -> Field:
    shown = [_option(option) for option in options]
    chosen = None if value is None else write_text(value)
    if not is_required and not any(option["value"] == "" for option in shown):
        shown.insert(0, {"value": "", "label": "None"})
        chosen = chosen or ""
    is_described = any("description" in option for option in shown)
    return {"kind": "choice" if widget == "radio" or is_described else "select", "value": chosen, "options": shown}


def _option(option: tuple[Any, str, str | None]) -> dict[str, str]:
    value, label, description = option
    made = {"value": write_text(value), "label": label}
    return made | {"description": description} if description else made


def _text_limits(schema: Schema) -> dict[str, Any]:
    # No pattern: browsers read expressions differently, and their message does not say what to do.
    names = {"minLength": "minlength", "maxLength": "maxlength"}
    return {attribute: schema[word] for word, attribute in names.items() if word in schema}


def _number_limits(schema: Schema) -> dict[str, Any]:
    is_whole = type_of(schema) == "integer"
    limits: dict[str, Any] = {"step": schema.get("multipleOf", 1 if is_whole else "any")}
    for word, attribute, inside in (("minimum", "min", 1), ("maximum", "max", -1)):
        exclusive = schema.get(f"exclusive{word.capitalize()}")
        if word in schema:
            limits[attribute] = schema[word]
        elif is_whole and isinstance(exclusive, int):
            limits[attribute] = exclusive + inside
    return limits


def _options(schema: Schema) -> Mapping[str, Any]:
    options = schema.get("ui:options")
    return options if isinstance(options, Mapping) else {}


def _flag(schema: Schema, name: str) -> bool:
    return bool(schema.get(f"ui:{name}") or _options(schema).get(name))


def _inner(values: Values, name: str) -> Values:
    inner = values.get(name)
    return inner if isinstance(inner, Mapping) else {}

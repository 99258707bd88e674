"""What templates written for Nunjucks take from JavaScript: how values become text, and methods of values.

A method is looked up in a table here and never on the Python object, so that no method of Python's is in reach.
"""

import json
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from jinja2.exceptions import TemplateRuntimeError
from jinja2.runtime import Undefined

from roadbed.core.templating.limits import current_budget

_NOTHING = object()


class Method:
    """A method bound to its value, callable from templates."""

    __slots__ = ("_function", "_name", "_value")

    def __init__(self, name: str, function: Callable[..., Any], value: Any) -> None:
        self._name = name
        self._function = function
        self._value = value

    def __call__(self, *arguments: Any) -> Any:
        """Call it, within the budget."""
        budget = current_budget()
        budget.take_characters(len(self._value) // 16)
        try:
            return budget.take(self._function(self._value, *arguments))
        except (TypeError, ValueError) as error:
            raise TemplateRuntimeError(f"The method {self._name} does not take these arguments.") from error

    def __str__(self) -> str:
        return "function"


def to_text(value: Any) -> str:
    """Return what Nunjucks prints: nothing for null, `true`, `1` for 1.0, a list's items with commas.

    Objects become JSON where JavaScript would print "[object Object]", which nobody wants.
    """
    if isinstance(value, str):
        return str(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e21:
        return str(int(value))
    if isinstance(value, Mapping):
        return to_json(value)
    if isinstance(value, Iterable) and not isinstance(value, Undefined):
        return join(value, ",")
    return str(value)


def to_json(value: Any, indent: int | None = None) -> str:
    """Return JSON as JavaScript writes it: without spaces, or indented; nothing for a missing value."""
    if isinstance(value, Undefined):
        return ""
    separators = (",", ":") if not indent else (",", ": ")
    return json.dumps(_as_javascript(value), ensure_ascii=False, indent=indent or None, separators=separators)


def _as_javascript(value: Any) -> Any:
    if isinstance(value, Undefined):
        return None
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, Mapping):
        return {key: _as_javascript(item) for key, item in value.items()}
    return value if isinstance(value, (str, int, float)) or value is None else [_as_javascript(item) for item in value]


def join(values: Iterable[Any], separator: str) -> str:
    """Join values as text, counted before it is made."""
    texts = [to_text(value) for value in values]
    current_budget().take_characters(sum(map(len, texts)) + len(separator) * len(texts))
    return separator.join(texts)


def replace(text: str, old: str, new: str, count: int = -1) -> str:
    """Replace occurrences, counted before it is done."""
    found = text.count(old) if count < 0 else min(count, text.count(old))
    current_budget().take_characters(len(text) + found * (len(new) - len(old)))
    return text.replace(old, new, count)


def find_member(value: Any, name: str) -> Any:
    """Return a property or method of a plain value; `NOTHING` when it has none of this name."""
    if name == "length" and isinstance(value, (str, list)):
        return len(value)
    for kind, methods in _METHODS:
        if isinstance(value, kind):
            function = methods.get(name)
            return _NOTHING if function is None else Method(name, function, value)
    return _NOTHING


def is_nothing(found: Any) -> bool:
    """True when `find_member` found nothing."""
    return found is _NOTHING


def _split(text: str, separator: str | None = None) -> list[str]:
    if separator is None:
        return [text]
    return text.split(separator) if separator else list(text)


def _clamp(index: Any, length: int) -> int:
    number = 0 if index is None or (isinstance(index, float) and math.isnan(index)) else int(index)
    return max(0, min(length, number))


def _substring(text: str, start: int = 0, end: int | None = None) -> str:
    first, last = _clamp(start, len(text)), len(text) if end is None else _clamp(end, len(text))
    return text[min(first, last) : max(first, last)]


def _slice(values: Any, start: int = 0, end: int | None = None) -> Any:
    return values[start:end]


def _index_of(values: Any, item: Any) -> int:
    if isinstance(values, str):
        return values.find(to_text(item))
    return values.index(item) if item in values else -1


def _pad(text: str, width: int, fill: str, *, at_start: bool) -> str:
    current_budget().take_characters(max(width, len(text)))
    missing = (fill * (max(0, width - len(text)) // max(1, len(fill)) + 1))[: max(0, width - len(text))]
    return missing + text if at_start else text + missing


def _includes(values: Any, item: Any) -> bool:
    return to_text(item) in values if isinstance(values, str) else item in values


_STRING_METHODS: dict[str, Callable[..., Any]] = {
    "charAt": lambda text, index=0: text[index : index + 1],
    "endsWith": lambda text, end: text.endswith(end),
    "includes": _includes,
    "indexOf": _index_of,
    "padEnd": lambda text, width, fill=" ": _pad(text, width, fill, at_start=False),
    "padStart": lambda text, width, fill=" ": _pad(text, width, fill, at_start=True),
    "replace": lambda text, old, new: replace(text, old, new, 1),
    "replaceAll": replace,
    "slice": _slice,
    "split": _split,
    "startsWith": lambda text, start: text.startswith(start),
    "substring": _substring,
    "toLowerCase": lambda text: text.lower(),
    "toString": lambda text: text,
    "toUpperCase": lambda text: text.upper(),
    "trim": lambda text: text.strip(),
}
_LIST_METHODS: dict[str, Callable[..., Any]] = {
    "concat": lambda values, *others: [*values, *(item for other in others for item in other)],
    "includes": _includes,
    "indexOf": _index_of,
    "join": lambda values, separator=",": join(values, separator),
    "slice": _slice,
}
_MAPPING_METHODS: dict[str, Callable[..., Any]] = {
    "items": lambda mapping: [list(pair) for pair in mapping.items()],
    "keys": list,
    "values": lambda mapping: list(mapping.values()),
}
_METHODS: tuple[tuple[type, dict[str, Callable[..., Any]]], ...] = (
    (str, _STRING_METHODS),
    (list, _LIST_METHODS),
    (dict, _MAPPING_METHODS),
)

"""YAML: what a scalar means, and writing values so that every reader takes them for the same.

Scalars are those of the core schema of YAML 1.2, with numbers as JavaScript would write them.
"""

import math
import re
from decimal import Decimal
from typing import Any, cast

import yaml

_INTEGER = re.compile(r"[-+]?[0-9]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_SPECIAL_FLOAT = re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")
_WORDS: dict[str, Any] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_LETTERS = frozenset("yYnN")
_EXACT = 2**53
TELLING = frozenset("~nNtTfF-+.0123456789")
"""How a plain scalar begins that may be something else than a text."""


_BASE = cast("type[yaml.SafeDumper]", getattr(yaml, "CSafeDumper", yaml.SafeDumper))


class Fault(Exception):
    """Something in a document that ends its reading."""

    def __init__(self, reason: str, hint: str = "", *, line: int = 0, column: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.hint, self.line, self.column = reason, hint, line, column


class _Dumper(_BASE):  # type: ignore[misc, valid-type]  # which of the two is known at run time only
    """Writes texts of several lines as blocks, and quotes what not every reader takes for a text."""


def represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Return a text as a node that every reader takes for that text; to be added to a dumper."""
    style = "|" if "\n" in text else None if is_text(text) else "'"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, represent_text)


def write_yaml(data: Any) -> str:
    """Return JSON data as YAML, keys in their own order."""
    text: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120)
    return text


def is_text(text: str) -> bool:
    """Tell whether every reader of YAML takes a plain scalar for a text, as far as PyYAML does not know itself.

    Readers of 1.2 take `0o14`, `089` and `1e3` for numbers, some of 1.1 `1_0e3` too, and the letters of yes and no for
    these.
    """
    if not text or text[0] not in TELLING:
        return text not in _LETTERS
    try:
        return text not in _LETTERS and isinstance(resolve(text.replace("_", "")), str)
    except Fault:
        return False


def resolve(text: str) -> Any:
    """Give a plain scalar its value."""
    if text and text[0] not in TELLING:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return _number(int(text)) if len(text) < 400 else _number(math.inf)
    if text[:2] in ("0o", "0x"):
        digits, base = text[2:], 8 if text[1] == "o" else 16
        if digits and all(digit in "0123456789abcdefABCDEF"[: 8 if base == 8 else 22] for digit in digits):
            return _number(int(digits, base))
        return text
    if _FLOAT.fullmatch(text):
        return _number(float(text))
    return None if _SPECIAL_FLOAT.fullmatch(text) else text  # JSON has no infinity: JavaScript writes null


def _number(value: float) -> int | float:
    """Return the number as JavaScript would write it in JSON: whole numbers without a point, long ones rounded."""
    if value >= 2**64 or value <= -(2**63):
        raise Fault("The number is too large to be kept.", "Put it in quotes to make it a text.")
    if isinstance(value, int) and abs(value) <= _EXACT:
        return value
    as_float = float(value)
    return int(Decimal(repr(as_float))) if as_float.is_integer() else as_float


def write_key(value: Any) -> str:
    """Return a key as the text that JSON has for it."""
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return {True: "true", False: "false"}[value] if isinstance(value, bool) else str(value)

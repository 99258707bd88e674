"""The door to the Rust evaluator: compiling, and its errors in our words."""

import functools
import re
import sys
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from roadbed.core.expressions.errors import invalid

# The package imports its interactive shell: 115 modules of prompt_toolkit, 7 MB and a fifteenth of the server's start.
sys.modules.setdefault("cel.cli", ModuleType("cel.cli"))
import cel  # noqa: E402

EVALUATION_ERRORS = (RuntimeError, TypeError, ValueError, ArithmeticError, LookupError)
"""What the evaluator raises when an expression has no value."""

_PLACE = re.compile(r"<input>:(\d+):(\d+): (?:Syntax error: )?(.*)")


@functools.lru_cache(maxsize=4_096)
def program_of(source: str) -> cel.Program:
    """Compile a source that was read before.

    Raises:
        ExpressionInvalid: the evaluator reads it differently.
    """
    try:
        return cel.compile(source)
    except ValueError as error:
        place = _PLACE.search(str(error))
        if place is None:
            raise invalid("The evaluator refuses this.", source=source, offset=0) from error
        line, column, message = int(place[1]), int(place[2]), place[3]
        offset = sum(len(text) + 1 for text in source.split("\n")[: line - 1]) + column - 1
        message = message[0].upper() + message[1:]
        raise invalid(f"{message}.", source=source, offset=min(offset, len(source))) from error


def execute(source: str, values: Mapping[str, Any]) -> Any:
    """Evaluate a source. Raises one of `EVALUATION_ERRORS`."""
    return program_of(source).execute(dict(values))


def describe(error: Exception) -> str:
    """Return why an expression has no value, in a sentence."""
    if isinstance(error, KeyError):
        return f'There is no "{error.args[0]}".'
    if isinstance(error, IndexError):
        return f"The list has no item {str(error).rpartition(' ')[2]}."
    if isinstance(error, ZeroDivisionError):
        return "Division by zero."
    if isinstance(error, OverflowError):
        return "The number is too large."
    if isinstance(error, TypeError):
        return "This is not defined for values of these types."
    text = str(error).removesuffix(" Check function arguments and their types.")
    if text.startswith("Undefined variable or function"):
        return "This function is not defined for values of this type."
    return f"{text.splitlines()[0].rstrip('.')}."

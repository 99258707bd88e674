"""Errors of expressions, which show the place."""

from roadbed.core.errors import Invalid

_EXCERPT_CHARACTERS = 100


class ExpressionInvalid(Invalid):
    """An expression cannot be compiled. The context holds `line`, `column` (from 1) and `excerpt`."""

    code = "expressions.invalid"


class ExpressionFailed(Invalid):
    """An expression has no value for these inputs. The context is that of `ExpressionInvalid`."""

    code = "expressions.failed"


def position_of(source: str, offset: int) -> tuple[int, int]:
    """Return line and column of an offset, from 1."""
    before = source[:offset]
    return before.count("\n") + 1, offset - (before.rfind("\n") + 1) + 1


def excerpt_of(source: str, offset: int) -> str:
    """Return the line of an offset with a caret under it; a long line is cut around the place."""
    line, column = position_of(source, offset)
    text = source.split("\n")[line - 1]
    start = max(0, column - 1 - _EXCERPT_CHARACTERS // 2)
    shown = text[start : start + _EXCERPT_CHARACTERS].replace("\t", " ").replace("\r", " ")
    return f"{shown}\n{' ' * (column - 1 - start)}^"


def invalid(message: str, *, source: str, offset: int, hint: str | None = None) -> ExpressionInvalid:
    """Return the error for a fault at an offset of the source."""
    line, column = position_of(source, offset)
    excerpt = excerpt_of(source, offset)
    return ExpressionInvalid(
        f"{message} (line {line}, column {column})\n{excerpt}", hint=hint, line=line, column=column, excerpt=excerpt
    )


def failed(message: str, *, source: str, offset: int, hint: str | None = None) -> ExpressionFailed:
    """Return the error for a part, at an offset of the source, that has no value."""
    line, column = position_of(source, offset)
    excerpt = excerpt_of(source, offset)
    return ExpressionFailed(
        f"{message} (line {line}, column {column})\n{excerpt}", hint=hint, line=line, column=column, excerpt=excerpt
    )

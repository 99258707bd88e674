"""Paging at the surface: the query parameters and cursors by row id."""

from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from roadbed.core.errors import Invalid
from roadbed.kit.paging import DEFAULT_LIMIT, MAX_LIMIT, decode_cursor, encode_cursor


class InvalidCursor(Invalid):
    code = "request.invalid_cursor"


class PageQuery(BaseModel):
    """The query parameters of every list."""

    model_config = ConfigDict(extra="forbid")

    cursor: Annotated[str | None, Field(description="`next_cursor` of the page before.")] = None
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT)] = DEFAULT_LIMIT


def id_cursor(row_id: UUID) -> str:
    return encode_cursor(str(row_id))


def id_of_cursor(cursor: str | None) -> UUID | None:
    """Return the row id that `id_cursor` was given; None for the first page."""
    if cursor is None:
        return None
    try:
        return UUID(decode_cursor(cursor, size=1)[0])
    except (ValueError, AttributeError, TypeError) as error:
        raise _invalid(cursor) from error


def text_cursor(key: str) -> str:
    """Return the cursor of a list that is ordered by a unique text."""
    return encode_cursor(key)


def text_of_cursor(cursor: str | None) -> str | None:
    """Return the text that `text_cursor` was given; None for the first page."""
    if cursor is None:
        return None
    try:
        (key,) = decode_cursor(cursor, size=1)
    except ValueError as error:
        raise _invalid(cursor) from error
    if not isinstance(key, str):
        raise _invalid(cursor)
    return key


def number_cursor(number: int) -> str:
    """Return the cursor of a list that is ordered by a unique number."""
    return encode_cursor(number)


def number_of_cursor(cursor: str | None) -> int | None:
    """Return the number that `number_cursor` was given; None for the first page."""
    if cursor is None:
        return None
    try:
        (number,) = decode_cursor(cursor, size=1)
    except ValueError as error:
        raise _invalid(cursor) from error
    if not isinstance(number, int):
        raise _invalid(cursor)
    return number


def _invalid(cursor: str) -> InvalidCursor:
    return InvalidCursor(
        f"The cursor {cursor!r} is not one of this list.", hint="Take next_cursor of the page before, unchanged."
    )

"""Cursors: opaque, printable positions in an ordered list."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import orjson

T = TypeVar("T")

DEFAULT_LIMIT = 50
MAX_LIMIT = 500


@dataclass(frozen=True)
class Page(Generic[T]):
    """One page of a list. `next_cursor` is None on the last one."""

    items: tuple[T, ...]
    next_cursor: str | None = None
    total: int | None = None


def encode_cursor(*position: Any) -> str:
    return base64.urlsafe_b64encode(orjson.dumps(list(position))).rstrip(b"=").decode()


def decode_cursor(cursor: str, *, size: int) -> list[Any]:
    """Return the `size` values that `encode_cursor` was given.

    Raises:
        ValueError: the text is not a cursor of that size.
    """
    try:
        position = orjson.loads(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    except (binascii.Error, orjson.JSONDecodeError, UnicodeEncodeError) as error:
        raise ValueError(f"{cursor!r} is not a cursor") from error
    if not isinstance(position, list) or len(position) != size:
        raise ValueError(f"{cursor!r} is not a cursor of this list")
    return position

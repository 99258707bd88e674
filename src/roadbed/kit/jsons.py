"""JSON: in one canonical form, so that equal values have equal bytes and equal digests, and as people wrote it."""

import hashlib
from typing import Any
from uuid import UUID

import orjson


def canonical_json(value: Any) -> bytes:
    """Serialise `value` with sorted keys and no white space; dates, UUIDs and enums become strings."""
    return orjson.dumps(value, _plain, orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z)


def write_json(value: Any) -> bytes:
    """Serialise `value` with its keys in their own order: for documents that people wrote."""
    return orjson.dumps(value, _plain, orjson.OPT_NON_STR_KEYS | orjson.OPT_UTC_Z)


def fit_json(written: bytes) -> bytes:
    """Return what was written in as much memory as it takes, to be kept: the serialiser leaves 8 KB behind it."""
    return bytes(memoryview(written))


def embed_json(written: bytes) -> Any:
    """Return what `write_json` puts in as it is, where it stands in a value."""
    return orjson.Fragment(written)


def _plain(value: Any) -> Any:
    if isinstance(value, UUID):  # asyncpg's own subclass
        return str(value)
    raise TypeError(f"{type(value).__qualname__} has no JSON form")


def digest(value: Any) -> str:
    """Return the SHA-256 of the canonical form of `value`, in hexadecimal."""
    return hashlib.sha256(canonical_json(value)).hexdigest()


def parse_json(text: str | bytes) -> Any:
    """Read JSON.

    Raises:
        ValueError: it is not valid JSON.
    """
    return orjson.loads(text)

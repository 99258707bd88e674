"""Requests and answers of this API: how parameters and bodies are read, and errors are written, as Backstage does."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote, unquote_to_bytes

import orjson

from roadbed.core import errors
from roadbed.core.actor import Actor
from roadbed.core.services import Services

JSON = b"application/json; charset=utf-8"
_MOST = 2**63 - 1
_INTEGER = re.compile(r"\s*(?:[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?|0[xX][0-9a-fA-F]+)\s*")

Parameters = Mapping[str, Sequence[str]]


class BadRequest(errors.Invalid):
    """The request is not one of this API; the message is worded as Backstage words it."""

    code = "catalog.bad_request"


@dataclass(frozen=True, slots=True)
class CatalogRequest:
    """A request that may be carried out: its sender has the permission of the operation."""

    services: Services
    actor: Actor
    path: str
    segments: Sequence[str]
    parameters: Parameters
    content_type: str
    body: bytes = field(repr=False)

    def texts(self, name: str) -> Sequence[str]:
        return self.parameters.get(name, ())

    def text(self, name: str) -> str | None:
        """Return the value of a parameter.

        Raises:
            BadRequest: it is given more than once.
        """
        values = self.parameters.get(name)
        if values and len(values) > 1:
            raise BadRequest(f"request/query/{name} must be string")
        return values[0] if values else None

    def integer(self, name: str, *, least: int = 0) -> int | None:
        """Return a parameter as an integer, which may be written as JavaScript reads it.

        Raises:
            BadRequest: it is none, or too small.
        """
        text = self.text(name)
        if text is None:
            return None
        if not _INTEGER.fullmatch(text):
            raise BadRequest(f"request/query/{name} must be integer")
        number = float(int(text, 16)) if "x" in text.lower() else float(text)
        if not number.is_integer() or abs(number) > _MOST:
            raise BadRequest(f"request/query/{name} must be integer")
        if number < least:
            raise BadRequest(f"request/query/{name} must be >= {least}")
        return int(number)

    def choice(self, name: str, *allowed: str) -> str | None:
        """Return a parameter that is one of a few words."""
        text = self.text(name)
        if text is not None and text not in allowed:
            raise BadRequest(f"request/query/{name} must be equal to one of the allowed values: {', '.join(allowed)}")
        return text

    def json(self) -> dict[str, Any]:
        """Return the body, which must be a JSON object.

        Raises:
            BadRequest: it is none.
        """
        media = self.content_type.partition(";")[0].strip().lower()
        if media != "application/json":
            raise BadRequest(f"unsupported media type {media or 'undefined'}")
        try:
            data = orjson.loads(self.body)
        except orjson.JSONDecodeError as error:
            raise BadRequest(f"{error}") from error
        if not isinstance(data, dict):
            raise BadRequest("request/body must be object")
        return data


@dataclass(frozen=True, slots=True)
class Answer:
    """What is sent back. `is_tagged` answers have an ETag and may be 304."""

    body: bytes = b""
    status: int = 200
    content_type: bytes | None = JSON
    link: str | None = None
    is_tagged: bool = False

    @classmethod
    def of(cls, data: Any, *, status: int = 200, link: str | None = None) -> "Answer":
        return cls(orjson.dumps(data), status=status, link=link, is_tagged=True)

    @classmethod
    def nothing(cls, status: int = 200) -> "Answer":
        return cls(status=status, content_type=None)

    def tag(self) -> bytes:
        digest = hashlib.sha1(self.body, usedforsecurity=False).hexdigest()
        return f'W/"{len(self.body):x}-{digest}"'.encode()


_NAMES: tuple[tuple[type[errors.RoadbedError], int, str], ...] = (
    (errors.Invalid, 400, "InputError"),
    (errors.Unauthenticated, 401, "AuthenticationError"),
    (errors.Forbidden, 403, "NotAllowedError"),
    (errors.NotFound, 404, "NotFoundError"),
    (errors.Conflict, 409, "ConflictError"),
    (errors.Expired, 410, "NotFoundError"),
    (errors.TooLarge, 413, "PayloadTooLargeError"),
    (errors.TooMany, 429, "TooManyRequestsError"),
    (errors.Unavailable, 503, "ServiceUnavailableError"),
)


def answer_error(error: errors.RoadbedError, *, method: str, url: str) -> Answer:
    """Return an error in Backstage's form."""
    status, name = next((row[1:] for row in _NAMES if isinstance(error, row[0])), (500, "Error"))
    return Answer.of(
        {
            "error": {"name": name, "message": error.message},
            "request": {"method": method, "url": url},
            "response": {"statusCode": status},
        },
        status=status,
    )


def read_parameters(query: bytes, known: frozenset[str]) -> dict[str, list[str]]:
    """Read the query string of an operation.

    Raises:
        BadRequest: a parameter is unknown, empty or an object.
    """
    found: dict[str, list[str]] = {}
    for pair in query.split(b"&"):
        if not pair:
            continue
        key, _, value = pair.partition(b"=")
        name = _decode(key).removesuffix("[]")
        if name not in known:
            bare = name.partition("[")[0]
            if bare in known:
                raise BadRequest(f"request/query/{bare}/0 must be string")
            raise BadRequest(f"Unknown query parameter '{name}'")
        found.setdefault(name, []).append(_decode(value))
    for name, values in found.items():
        if not any(values):
            raise BadRequest(f"Empty value found for query parameter '{name}'")
    return found


def read_segments(raw_path: bytes) -> list[str]:
    """Return the decoded parts of a path."""
    return [unquote(part.decode("latin-1"), errors="replace") for part in raw_path.split(b"/")]


def _decode(raw: bytes) -> str:
    if b"+" in raw:
        raw = raw.replace(b"+", b" ")
    if b"%" not in raw:
        return raw.decode("utf-8", "replace")
    try:
        return unquote_to_bytes(raw).decode()
    except UnicodeDecodeError:
        return raw.decode("utf-8", "replace")  # broken encodings stay as they are

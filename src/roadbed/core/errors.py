"""The errors that Roadbed raises on purpose, each with a code for programs and words for people.

RoadbedError
├── Invalid          what was given is wrong; `problems` may list each fault
├── Unauthenticated  nobody is signed in
├── Forbidden        somebody is, and may not
├── NotFound
├── Conflict         the state has moved on, or a name is taken
├── Expired          it was valid once
├── TooLarge
├── TooMany          a rate or a quota is used up
└── Unavailable      something outside is not there right now; trying again may help

Domains subclass these with a `code` of their own (`catalog.entity_not_found`) and know nothing of HTTP;
each surface maps them once (core.http.problems, the CLI's exit codes).
"""

from typing import Any, ClassVar


class RoadbedError(Exception):
    """Base of all errors with a meaning for the caller.

    Args:
        message: names the thing and says what happened.
        hint: what to do next, if there is something to do.
        context: further values for programs; never secret.
    """

    code: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str | None = None, **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context = context


class Invalid(RoadbedError):
    """What was given cannot be accepted. `problems` holds one line or object per fault."""

    code = "invalid"

    def __init__(
        self, message: str, *, hint: str | None = None, problems: list[Any] | None = None, **context: Any
    ) -> None:
        super().__init__(message, hint=hint, **context)
        self.problems = problems or []


class TextInvalid(Invalid):
    """A text holds what no text in the database can: the character NUL."""

    code = "request.text_invalid"


class ValueTooLarge(Invalid):
    """A number beyond 64 bits, or a text of many kilobytes where a name belongs."""

    code = "request.value_too_large"


class Unauthenticated(RoadbedError):
    code = "unauthenticated"


class Forbidden(RoadbedError):
    code = "forbidden"


class NotFound(RoadbedError):
    code = "not_found"


class Conflict(RoadbedError):
    code = "conflict"


class Expired(RoadbedError):
    code = "expired"


class TooLarge(RoadbedError):
    code = "too_large"


class TooMany(RoadbedError):
    code = "too_many"

    def __init__(self, message: str, *, hint: str | None = None, retry_after_seconds: int, **context: Any) -> None:
        super().__init__(message, hint=hint, **context)
        self.retry_after_seconds = retry_after_seconds


class Unavailable(RoadbedError):
    code = "unavailable"


class TransactionLost(Unavailable):
    """Roadbed's own database gave a transaction up for no fault of what was asked: done anew, it may succeed."""

    code = "transaction_lost"


class DatabaseAway(TransactionLost):
    """Roadbed's own database does not answer: it is being restarted, or fails over."""

    code = "database_away"


class Deadlock(TransactionLost):
    """Two transactions waited for each other, and the database ended this one so that the other goes on."""

    code = "database_deadlock"

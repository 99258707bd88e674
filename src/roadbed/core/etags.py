"""Entity tags: who has the newest is told so with 304, and who changes what has changed since is refused with 412.

A tag begins with the digest of what can be changed; what else an answer shows may follow after a dot. A condition of a
change looks at the first part only, so that what others add to an answer refuses nobody's change.
"""

from dataclasses import dataclass
from typing import Annotated, TypeVar

from fastapi import Depends, Header, Response
from pydantic import BaseModel

from roadbed.core.errors import Conflict
from roadbed.kit.jsons import digest

AnswerT = TypeVar("AnswerT", bound=BaseModel)
NOT_MODIFIED: dict[int | str, dict[str, str]] = {304: {"description": "You have the newest."}}


class PreconditionFailed(Conflict):
    code = "request.precondition_failed"


@dataclass(frozen=True)
class Condition:
    """The tags of an `If-Match` header; "*" stands for whatever there is."""

    tags: frozenset[str]

    def require(self, digest: str | None, *, what: str) -> None:
        """Raise unless what is there now is what the sender knows; `digest` None means that there is nothing.

        Raises:
            PreconditionFailed: it is another one, or gone.
        """
        if digest is not None and not self.tags.isdisjoint({"*", digest}):
            return
        state = "does not exist" if digest is None else "has changed since you read it"
        raise PreconditionFailed(f"{what} {state}.", hint="Read it again, and send its new ETag as If-Match.")


def write_etag(*parts: str) -> str:
    """Return the value of an ETag header."""
    return f'"{".".join(parts)}"'


def is_known(etag: str, if_none_match: str | None) -> bool:
    """Tell whether the sender of `If-None-Match` has what `etag` stands for."""
    tags = _read_tags(if_none_match or "")
    return "*" in tags or etag.strip('"') in tags


def _read_tags(header: str) -> frozenset[str]:
    return frozenset(part.strip().removeprefix("W/").strip('"') for part in header.split(",") if part.strip())


def _read_condition(
    if_match: Annotated[
        str | None, Header(description="The ETag that the change is meant for; 412 when there is another one.")
    ] = None,
) -> Condition | None:
    if if_match is None:
        return None
    return Condition(frozenset(tag.partition(".")[0] for tag in _read_tags(if_match)))


class Freshness:
    """What the sender of a request has already."""

    def __init__(
        self,
        response: Response,
        if_none_match: Annotated[
            str | None, Header(description="The ETag of what you have; 304 when it is the newest.")
        ] = None,
    ) -> None:
        self._response = response
        self._if_none_match = if_none_match

    def answer(self, shown: AnswerT, *changeable: str) -> AnswerT | Response:
        """Return what is shown, or 304 when the sender has it; `changeable` is the digest of what can be changed."""
        etag = write_etag(*changeable, digest(shown.model_dump(mode="json"))[:16])
        headers = {"ETag": etag, "Cache-Control": "private, no-cache"}
        if is_known(etag, self._if_none_match):
            return Response(status_code=304, headers=headers)
        self._response.headers.update(headers)
        return shown


# As handlers' parameters.
IfMatch = Annotated[Condition | None, Depends(_read_condition)]
Fresh = Annotated[Freshness, Depends()]

"""Changes of entities in their files, as the API takes and gives them."""

from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from roadbed.catalog.rules.comparison import TextDifference
from roadbed.catalog.schemas.entities import ProblemOut


class OpenProposalOut(BaseModel):
    """A change request that is open."""

    model_config = ConfigDict(from_attributes=True)

    number: int
    title: str
    author: str


class SourceTextOut(BaseModel):
    """The document of an entity as its file has it now; `commit` is what a proposal gives back as `base`."""

    place: str = Field(description="The file, in words.")
    file: str
    href: str | None = Field(description="Where people see the file.")
    first_line: int
    is_writable: bool = Field(description="Whether a change request can be opened from here.")
    reason: str = Field(description="Why not.")
    commit: str = Field(description="Of a file that Roadbed only reads: a digest of the document.")
    text: str
    change_requests: list[OpenProposalOut] = Field(description="Those that are open and change the file.")


class DocumentIn(BaseModel):
    """What an entity is to be: its document, of which the file changes as little as can be, or its text."""

    model_config = ConfigDict(extra="forbid")

    document: dict[str, Any] | None = Field(None, description="The whole entity as JSON.")
    text: str | None = Field(None, max_length=200_000, description="The whole document as YAML.")
    base: str | None = Field(
        None, max_length=64, description="The `commit` of its source; refused when the document has changed since."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.document is None) == (self.text is None):
            raise ValueError("give either document or text")
        return self


class ProposalIn(DocumentIn):
    """A change to be proposed."""

    title: str = Field("", max_length=200, description="Of the change request; made from the name unless given.")
    message: str = Field("", max_length=20_000, description="Markdown.")


class DraftOut(BaseModel):
    """What a change would be."""

    valid: bool
    problems: list[ProblemOut]
    diff: str = Field(description="What changes in the file, as a unified diff.")
    keeps_comments: bool = Field(description="False: the document is written anew, without its comments.")
    content: str = Field(description="The whole file as it would be.")


class ProposalOut(BaseModel):
    """The change request that was opened."""

    repository: str = Field(examples=["shop/orders"])
    number: int
    href: str


def write_diff(difference: TextDifference, file: str) -> str:
    """Return a difference as a unified diff."""
    if not difference.hunks:
        return difference.note
    signs = {"add": "+", "del": "-", "same": " "}
    lines = [f"--- a/{file}", f"+++ b/{file}"]
    for hunk in difference.hunks:
        lines += [hunk.head, *(signs[line.kind] + line.text for line in hunk.lines)]
    return "\n".join(lines) + "\n"

"""Looks at places before they are registered, as the API takes and gives them."""

from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from roadbed.catalog.schemas.entities import ProblemOut


class LookIn(BaseModel):
    """A place to look at."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field("git", examples=["git"], description="`git`, `url` or `file`.")
    target: str = Field(min_length=1, max_length=2000, examples=["https://git.example.com/shop/orders.git"])


class LookStartedOut(BaseModel):
    """The run that looks."""

    run_id: UUID


class FoundEntityOut(BaseModel):
    ref: str
    title: str
    owner: str | None
    line: int


class FoundFileOut(BaseModel):
    """A catalog file; one with errors comes with its text."""

    path: str
    entities: list[FoundEntityOut]
    text: str | None


class GeneratedOut(BaseModel):
    """A file that could be written, and for each guess where it comes from."""

    path: str
    text: str
    reasons: list[list[str]]


class LookOut(BaseModel):
    """What a look has found; nothing before it is over. The first files, entities and problems are listed."""

    run_id: UUID
    state: str
    type: str
    target: str
    message: str | None = Field(description="Why it failed.")
    revision: str | None
    files: list[FoundFileOut]
    problems: list[ProblemOut]
    counts: dict[str, int]
    generated: GeneratedOut | None


class FileIn(BaseModel):
    """A file of a look, as somebody wants it."""

    model_config = ConfigDict(extra="forbid")

    path: str = Field(max_length=4096)
    text: str = Field(max_length=200_000)


class FileCheckedOut(BaseModel):
    valid: bool
    problems: list[ProblemOut]


class FileProposalIn(FileIn):
    title: str = Field("", max_length=200)
    message: str = Field("", max_length=20_000)


class FileProposalOut(BaseModel):
    """The change request with the file, and the run that registers the repository when it is merged."""

    repository: str
    number: int
    href: str
    run_id: UUID

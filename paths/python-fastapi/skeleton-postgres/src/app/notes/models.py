"""What a note is, to clients and in the database."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

WITHOUT_NUL = r"^[^\x00]*$"  # the one character that PostgreSQL does not store
Title = Annotated[
    str,
    StringConstraints(strip_whitespace=True, min_length=1, max_length=200, pattern=WITHOUT_NUL),
]
Body = Annotated[str, StringConstraints(max_length=10_000, pattern=WITHOUT_NUL)]


class NoteDraft(BaseModel):
    title: Title
    body: Body = ""


class Note(BaseModel):
    id: int
    title: str
    body: str
    created_at: datetime
    updated_at: datetime


class NotePage(BaseModel):
    items: list[Note]
    next: int | None = Field(description="Pass it as `after` for the next page, null on the last")

"""Secrets as the API takes and gives them: values go in, never out."""

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field, SecretStr

from roadbed.core.paging import PageQuery


class SecretQuery(PageQuery):
    prefix: str = Field("", max_length=400, description="The beginning of the paths to list.")


class SecretIn(BaseModel):
    """A new value."""

    model_config = ConfigDict(extra="forbid")

    value: SecretStr


class SecretOut(BaseModel):
    """What is known about a secret."""

    model_config = ConfigDict(from_attributes=True)

    path: str
    reference: str
    version: int
    created_at: datetime
    updated_at: datetime


class SecretPageOut(BaseModel):
    items: list[SecretOut]
    next_cursor: str | None

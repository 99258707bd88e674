"""Accounts, roles and tokens as the API takes and gives them."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from roadbed.core.paging import PageQuery
from roadbed.identity.rules import DEFAULT_TOKEN_DAYS, MAX_TOKEN_DAYS
from roadbed.identity.types import AccountKind

NOT_REPEATED = "None when an Idempotency-Key was sent again: it is shown once only."


class Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class MeOut(BaseModel):
    """Who is signed in, and what they may do."""

    id: UUID
    kind: AccountKind
    name: str
    entity_ref: str | None
    groups: list[str]
    roles: list[str]
    permissions: Annotated[list[str], Field(description="Names of all permissions, within the token's scopes.")]
    scopes: Annotated[list[str] | None, Field(description="What the token is limited to; null: nothing further.")]


class TokenIn(Body):
    name: Annotated[str, Field(min_length=1, max_length=100, examples=["laptop"])]
    scopes: Annotated[
        list[str] | None,
        Field(description="Permission patterns; null: all that the account may do.", examples=[["catalog.*"]]),
    ] = None
    expires_in_days: Annotated[int, Field(ge=1, le=MAX_TOKEN_DAYS)] = DEFAULT_TOKEN_DAYS
    account: Annotated[str | None, Field(description="A program's account; null: your own.")] = None


class NewTokenOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    account: str
    name: str
    expires_at: datetime
    value: Annotated[str | None, Field(description=f"The token itself. {NOT_REPEATED}")]


class TokenQuery(PageQuery):
    account: Annotated[str | None, Field(description="Whose tokens; null: your own.")] = None


class TokenOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    hint: Annotated[str, Field(description="How the token begins.")]
    scopes: list[str] | None
    created_by: str
    created_at: datetime
    expires_at: datetime
    last_used_at: datetime | None


class TokenPageOut(BaseModel):
    items: list[TokenOut]
    next_cursor: str | None


class AccountQuery(PageQuery):
    kind: AccountKind | None = None
    q: Annotated[str | None, Field(description="Part of a name.")] = None


class AccountIn(Body):
    name: Annotated[str, Field(examples=["ada"])]
    kind: AccountKind = AccountKind.USER
    display_name: Annotated[str, Field(max_length=100)] = ""
    entity_ref: Annotated[
        str | None, Field(description="The User entity; null: `user:default/<name>` for a person, none for a program.")
    ] = None
    roles: list[str] = []


class AccountPatch(Body):
    """What to change; what is left out stays."""

    display_name: Annotated[str | None, Field(max_length=100)] = None
    entity_ref: Annotated[str | None, Field(description="An empty text removes the link.")] = None
    roles: list[str] | None = None
    is_disabled: bool | None = None
    reset_password: Annotated[bool, Field(description="Give a one-time password and end all sessions.")] = False


class AccountOut(BaseModel):
    id: UUID
    kind: AccountKind
    name: str
    display_name: str
    entity_ref: str | None
    roles: list[str]
    is_disabled: bool
    must_change_password: bool
    created_at: datetime
    last_seen_at: datetime | None


class AccountResultOut(AccountOut):
    one_time_password: Annotated[
        str | None, Field(description=f"To be changed at the first sign-in. {NOT_REPEATED}")
    ] = None


class AccountPageOut(BaseModel):
    items: list[AccountOut]
    next_cursor: str | None


class RoleIn(Body):
    title: Annotated[str, Field(max_length=100, examples=["Release manager"])] = ""
    permissions: Annotated[list[str], Field(max_length=500, examples=[["catalog.entity.read"]])]
    conditions: Annotated[
        dict[str, str] | None,
        Field(
            max_length=20,
            description="What narrows a permission to some objects, CEL by its name. Left out, they stay.",
            examples=[{"catalog.entity.read": "owner in subject.groups || metadata.namespace == 'public'"}],
        ),
    ] = None


class RoleOut(BaseModel):
    model_config = ConfigDict(from_attributes=True)

    name: str
    title: str
    permissions: list[str]
    conditions: dict[str, str]
    is_built_in: bool
    is_changed: Annotated[bool, Field(description="A built-in role that allows other things than it came with.")]


class RoleListOut(BaseModel):
    items: list[RoleOut]

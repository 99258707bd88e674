"""What the forms of these pages send."""

from pydantic import BaseModel, ConfigDict, Field

from roadbed.identity.rules import DEFAULT_TOKEN_DAYS
from roadbed.identity.types import AccountKind


class _Sent(BaseModel):
    model_config = ConfigDict(extra="ignore")


class AccountForm(_Sent):
    """The account as it should be."""

    display_name: str = Field("", max_length=100)
    entity_ref: str = ""
    roles: list[str] = []


class NewAccountForm(AccountForm):
    """The new account. `key` makes a repeated form find what the first one made."""

    name: str = ""
    kind: AccountKind = AccountKind.USER
    key: str = Field("", max_length=100)


class TokenForm(_Sent):
    """The new token. `scopes` holds one pattern a line."""

    name: str = ""
    scopes: str = ""
    days: int = DEFAULT_TOKEN_DAYS
    key: str = Field("", max_length=100)


class RoleForm(_Sent):
    """The role as it should be."""

    name: str = ""
    title: str = Field("", max_length=100)
    permissions: list[str] = []
    condition: list[str] = []
    """One for each permission that can be narrowed, by name; empty where nothing narrows it."""

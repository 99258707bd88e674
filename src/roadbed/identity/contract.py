"""What other domains may use of identity: verbs on accounts and tokens, and how the catalog tells who is in a group."""

from roadbed.identity.access import ACCOUNT_WRITE, TOKEN_WRITE
from roadbed.identity.service.accounts import AccountChange, AccountWish, change_account, create_account, ensure_admin
from roadbed.identity.service.actors import count_people_who_may, find_account, find_actor
from roadbed.identity.service.roles import seed_roles
from roadbed.identity.service.tokens import TokenWish, create_local_token, create_token, revoke_token
from roadbed.identity.types import AccountKind, AccountView, FirstStart, NewToken, UserSource

__all__ = [
    "ACCOUNT_WRITE",
    "TOKEN_WRITE",
    "AccountChange",
    "AccountKind",
    "AccountView",
    "AccountWish",
    "FirstStart",
    "NewToken",
    "TokenWish",
    "UserSource",
    "change_account",
    "count_people_who_may",
    "create_account",
    "create_local_token",
    "create_token",
    "ensure_admin",
    "find_account",
    "find_actor",
    "revoke_token",
    "seed_roles",
]

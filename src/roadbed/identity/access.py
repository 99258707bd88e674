"""Who may do what with accounts, roles and tokens."""

from typing import Annotated

from roadbed.core.access import ADMINS, VIEWERS, Permission, anonymous, requires, signed_in
from roadbed.core.actor import Actor
from roadbed.identity.errors import BrowserOnly

TOKEN_WRITE = Permission("identity.token.write", "Create and revoke own tokens", VIEWERS)
ACCOUNT_READ = Permission("identity.account.read", "See all accounts and their tokens", ADMINS)
ACCOUNT_WRITE = Permission("identity.account.write", "Create and change accounts and their tokens", ADMINS)
ROLE_READ = Permission("identity.role.read", "See roles and what they allow", ADMINS)
ROLE_WRITE = Permission("identity.role.write", "Change what roles allow", ADMINS)

ALL = (TOKEN_WRITE, ACCOUNT_READ, ACCOUNT_WRITE, ROLE_READ, ROLE_WRITE)

SignedIn = Annotated[Actor, signed_in()]
TokenWriter = Annotated[Actor, requires(TOKEN_WRITE)]
AccountReader = Annotated[Actor, requires(ACCOUNT_READ)]
AccountWriter = Annotated[Actor, requires(ACCOUNT_WRITE)]
RoleReader = Annotated[Actor, requires(ROLE_READ)]
RoleWriter = Annotated[Actor, requires(ROLE_WRITE)]
SigningIn = Annotated[Actor, anonymous("who signs in is not signed in yet")]
SigningOut = Annotated[Actor, anonymous("a session that has ended can be signed out of, too")]


def require_browser(actor: Actor) -> None:
    """Keep tokens, which may be limited, away from what only a person at their own account does.

    Raises:
        BrowserOnly: the actor did not sign in with a browser.
    """
    if not (actor.credential or "").startswith("session:"):
        raise BrowserOnly("A token cannot do this.", hint="Sign in with a browser, or use the REST API.")

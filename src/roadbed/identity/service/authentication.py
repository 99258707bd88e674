"""Finding out who sent a request, from its session cookie or token."""

import base64
import binascii
from datetime import datetime, timedelta

import structlog

from roadbed.core.access import Presented
from roadbed.core.actor import ANONYMOUS, Actor
from roadbed.core.db import Database, ReadSession
from roadbed.identity import repository, rules
from roadbed.identity.errors import AccountDisabled, TokenExpired, TokenInvalid
from roadbed.identity.models import Account, Session, Token
from roadbed.identity.service.actors import actor_of
from roadbed.identity.service.known import KnownTokens
from roadbed.kit.clock import now

GIT_PATH = "/git/"
TOUCH_EVERY = timedelta(minutes=1)  # "last seen" is kept this exactly, so that reading does not become writing
NEXT_STEP = "Create a new one under Account, Tokens, or with `roadbed token create`."


class AccountAuthenticator:
    """Authenticates by `Authorization: Bearer`, by Basic with a token as password for git, or by the session cookie."""

    def __init__(self, database: Database, *, idle: timedelta, known: KnownTokens) -> None:
        self._database = database
        self._idle = idle
        self._known = known

    async def authenticate(self, presented: Presented) -> Actor:
        """Return the actor; anonymous when nothing valid in the way of a session was presented.

        Raises:
            TokenInvalid, TokenExpired: a token was presented and is not good.
            AccountDisabled: its account is disabled.
        """
        value = _token_in(presented)
        if value is not None:
            actor = await self._by_token(value, presented)
        elif presented.session:
            actor = await self._by_session(presented.session, presented)
        else:
            return _anonymous(presented)
        if actor.is_authenticated:
            structlog.contextvars.bind_contextvars(actor=actor.label)
        return actor

    async def _by_token(self, value: str, presented: Presented) -> Actor:
        digest = rules.value_hash(value)
        known = self._known.find(digest, presented.address)
        if known is not None:
            return known
        return await self._known.ask(digest, presented.address, lambda: self._look_up(value, digest, presented))

    async def _look_up(self, value: str, digest: str, presented: Presented) -> Actor:
        address, generation, at = presented.address, self._known.generation, now()
        async with self._database.read() as session:
            token, account = _check_token(await find_token(session, value), at)
            credential = f"token:{token.id}"
            actor = await actor_of(session, account, address=address, credential=credential, scopes=token.scopes)
        left_seconds = (token.expires_at - at).total_seconds()
        self._known.keep(digest, address, actor, seconds=left_seconds, generation=generation)
        if _is_stale(token.last_used_at, at):
            async with self._database.write() as writing:
                await repository.touch_account(writing, account.id, at=at)
                await repository.touch_token(writing, token.id, at=at)
        return actor

    async def _by_session(self, value: str, presented: Presented) -> Actor:
        at = now()
        async with self._database.read() as session:
            found = await find_session(session, value, at=at)
            if found is None or found[1].must_change_password:  # such a session leads to the password page only
                return _anonymous(presented)
            row, account = found
            actor = await actor_of(session, account, address=presented.address, credential=f"session:{row.id}")
        if _is_stale(row.last_seen_at, at):
            expires_at = rules.session_expiry(at=at, ends_at=row.ends_at, idle=self._idle)
            async with self._database.write() as writing:
                await repository.touch_account(writing, account.id, at=at)
                await repository.touch_session(writing, row.id, at=at, expires_at=expires_at)
        return actor


async def find_session(session: ReadSession, value: str, *, at: datetime) -> tuple[Session, Account] | None:
    """Return the session with this cookie value, and its account, while both are good."""
    found = await repository.find_session(session, rules.value_hash(value))
    if found is None or found[0].expires_at <= at or found[1].is_disabled:
        return None
    return found


async def find_token(session: ReadSession, value: str) -> tuple[Token, Account] | None:
    return await repository.find_token(session, rules.value_hash(value)) if rules.is_token_shaped(value) else None


def _check_token(found: tuple[Token, Account] | None, at: datetime) -> tuple[Token, Account]:
    if found is None:
        raise TokenInvalid("This token is not one of this Roadbed, or is incomplete.", hint=NEXT_STEP)
    token, account = found
    if token.revoked_at is not None:
        raise TokenInvalid(f"The token {token.name!r} of {account.name} has been revoked.", hint=NEXT_STEP)
    if token.expires_at <= at:
        raise TokenExpired(
            f"The token {token.name!r} of {account.name} expired on {token.expires_at:%Y-%m-%d}.", hint=NEXT_STEP
        )
    if account.is_disabled:
        raise AccountDisabled(f"The account {account.name} is disabled.", hint="An admin can enable it again.")
    return token, account


def _anonymous(presented: Presented) -> Actor:
    return Actor(kind=ANONYMOUS.kind, id=ANONYMOUS.id, name=ANONYMOUS.name, address=presented.address)


def _is_stale(seen_at: datetime | None, at: datetime) -> bool:
    return seen_at is None or at - seen_at >= TOUCH_EVERY


def _token_in(presented: Presented) -> str | None:
    """Return the token that was presented, or None. Basic is git's way alone; elsewhere it belongs to a proxy."""
    scheme, _, rest = (presented.authorization or "").partition(" ")
    if scheme.lower() == "bearer":
        return rest.strip()
    if scheme.lower() != "basic" or not presented.path.startswith(GIT_PATH):
        return None
    try:
        _, _, password = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError) as error:
        raise TokenInvalid("The Authorization header cannot be read.", hint="Give git a token as password.") from error
    return password

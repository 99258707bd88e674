"""Signing in and out, and passwords.

A check of a password is counted before it is made, in a transaction of its own: attempts at the same moment, on other
replicas, and such whose request fails all count. So these verbs take the `Database` where others take a session.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from uuid import UUID

from roadbed.audit.contract import record
from roadbed.core.actor import ANONYMOUS, Actor
from roadbed.core.db import Database, ReadSession, WriteSession, lock_transaction
from roadbed.core.settings import Settings
from roadbed.identity import repository, rules
from roadbed.identity.errors import (
    AccountDisabled,
    PasswordChangeExpired,
    PasswordTooWeak,
    SessionNotFound,
    SignInRefused,
    TooManyAttempts,
)
from roadbed.identity.models import Account, Session, SignInAttempt
from roadbed.identity.service.actors import actor_of
from roadbed.identity.service.authentication import find_session
from roadbed.identity.service.passwords import Verdict, hash_password, verify_password
from roadbed.kit.clock import now
from roadbed.kit.ids import new_id

LONGEST_SESSION = timedelta(days=30)


@dataclass(frozen=True)
class Visitor:
    """The browser that signs in: its address, its name for itself, and the session cookie it brought along."""

    address: str | None
    browser: str
    session: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class SignedIn:
    """A fresh session. `value` goes into the cookie and nowhere else."""

    value: str = field(repr=False)
    must_change_password: bool


async def sign_in(database: Database, *, name: str, password: str, visitor: Visitor) -> SignedIn:
    """Check name and password and begin a session; the one that the browser brought along ends.

    Raises:
        SignInRefused: name or password is wrong; which one is not told.
        TooManyAttempts: for this account or address, in the last five minutes.
        AccountDisabled: the password is right, the account disabled.
    """
    account, verdict = await _check(database, name=name, password=password, address=visitor.address)
    async with database.write() as session:
        current = await repository.lock_account(session, account.id)
        if current is None or current.password_hash != account.password_hash:
            raise _refused()
        if current.is_disabled:
            raise AccountDisabled(f"The account {current.name} is disabled.", hint="An admin can enable it again.")
        if verdict.fresh_hash:
            current.password_hash = verdict.fresh_hash
        if visitor.session is not None:
            await _end_presented(session, visitor.session)
        await repository.delete_attempts(session, rules.account_key(name))
        actor = await actor_of(session, current, address=visitor.address)
        await record(session, actor, action="identity.signed_in", subject=current.subject, browser=visitor.browser)
        return SignedIn(await _begin_session(session, current, visitor), current.must_change_password)


async def sign_out(session: WriteSession, *, value: str, address: str | None) -> None:
    """End the session with this cookie value; nothing happens when it has ended."""
    found = await find_session(session, value, at=now())
    if found is None:
        return
    row, account = found
    await repository.delete_session(session, row.id)
    actor = await actor_of(session, account, address=address)
    await record(session, actor, action="identity.signed_out", subject=account.subject)


async def find_password_change(session: ReadSession, value: str | None) -> Account | None:
    """Return the account whose session with this cookie value waits for a new password."""
    found = await find_session(session, value, at=now()) if value else None
    return found[1] if found and found[1].must_change_password else None


async def replace_one_time_password(database: Database, *, password: str, visitor: Visitor) -> SignedIn:
    """Set the own password after a sign-in with a one-time password; the session begins anew.

    Raises:
        PasswordChangeExpired: there is no session that waits for this.
        PasswordTooWeak: with what is wanted.
    """
    async with database.read() as session:
        account = await find_password_change(session, visitor.session)
    if account is None:
        raise PasswordChangeExpired(
            "This sign-in is no longer valid.", hint="Sign in again with the one-time password."
        )
    return await _set_password(database, account, password, visitor)


async def change_password(
    database: Database, actor: Actor, *, current: str, password: str, visitor: Visitor
) -> SignedIn:
    """Set the own password; all sessions of the account end, and this browser gets a new one.

    Raises:
        SignInRefused: `current` is not the password.
        TooManyAttempts: as at sign-in.
        PasswordTooWeak: with what is wanted.
    """
    _check_strength(password, actor.name)
    account, _ = await _check(database, name=actor.name, password=current, address=visitor.address)
    if password == current:
        raise PasswordTooWeak("The new password is the old one.", hint="Choose another one.")
    return await _set_password(database, account, password, visitor)


async def list_sessions(session: ReadSession, actor: Actor) -> list[Session]:
    """List where the account is signed in, latest first."""
    return await repository.list_sessions(session, UUID(actor.id), at=now())


async def end_session(session: WriteSession, actor: Actor, session_id: UUID) -> None:
    """End one of the actor's own sessions.

    Raises:
        SessionNotFound: it is not one of theirs, or has ended.
    """
    own = {row.id for row in await repository.list_sessions(session, UUID(actor.id), at=now())}
    if session_id not in own:
        raise SessionNotFound("This session has ended already.", hint="See Account for the sessions there are.")
    await repository.delete_session(session, session_id)
    await record(session, actor, action="identity.session_ended", subject=f"account:{actor.name}", sessions=1)


async def end_other_sessions(session: WriteSession, actor: Actor) -> int:
    """End all own sessions but the one that asks; return how many these were."""
    kind, _, session_id = (actor.credential or "").partition(":")
    present = UUID(session_id) if kind == "session" else None
    count = await repository.delete_sessions(session, UUID(actor.id), but=present)
    if count:
        await record(session, actor, action="identity.session_ended", subject=f"account:{actor.name}", sessions=count)
    return count


async def purge(session: WriteSession) -> None:
    """Forget sessions that have ended and attempts that no longer count."""
    await repository.purge(session, at=now(), attempts_before=now() - rules.ATTEMPT_WINDOW)


async def _check(database: Database, *, name: str, password: str, address: str | None) -> tuple[Account, Verdict]:
    async with database.write() as session:
        await _count_attempt(session, name=name, address=address)
    async with database.read() as session:
        account = await repository.find_account_by_name(session, name.strip())
    is_sound = len(password) <= rules.PASSWORD_MAX
    verdict = await verify_password(password if is_sound else "", account.password_hash if account else None)
    if account is None or not is_sound or not verdict.fits:
        async with database.write() as session:
            visitor = replace(ANONYMOUS, address=address)
            subject = account.subject if account else "account:unknown"  # the name may be a password
            await record(session, visitor, action="identity.sign_in_failed", subject=subject)
        raise _refused()
    return account, verdict


async def _count_attempt(session: WriteSession, *, name: str, address: str | None) -> None:
    limit = session.services.get(Settings).http.sign_in_attempts
    at = now()
    since = at - rules.ATTEMPT_WINDOW
    account_key, address_key = rules.account_key(name), rules.address_key(address)
    await lock_transaction(session, f"identity.attempt:account:{account_key}")  # always before the address's
    await lock_transaction(session, f"identity.attempt:address:{address_key}")
    for times in (
        await repository.list_attempt_times(session, account_key=account_key, since=since, limit=limit),
        await repository.list_attempt_times(session, address_key=address_key, since=since, limit=limit),
    ):
        if len(times) >= limit:
            raise _too_many(times[-1], at)
    session.add(SignInAttempt(id=new_id(), account_key=account_key, address_key=address_key, at=at))


def _too_many(oldest: datetime, at: datetime) -> TooManyAttempts:
    seconds = max(1, int((oldest + rules.ATTEMPT_WINDOW - at).total_seconds()) + 1)
    return TooManyAttempts(
        "Too many sign-ins have failed for this account or from this address.",
        hint=f"Try again in {seconds} s." if seconds < 90 else f"Try again in {round(seconds / 60)} min.",
        retry_after_seconds=seconds,
    )


def _refused() -> SignInRefused:
    return SignInRefused(
        "The name or the password is not right.", hint="An admin can give the account a new one-time password."
    )


def _check_strength(password: str, name: str) -> None:
    fault = rules.find_password_fault(password, name=name)
    if fault:
        raise PasswordTooWeak(f"This password is not accepted. {fault}", hint=None, problems=[fault])


async def _set_password(database: Database, account: Account, password: str, visitor: Visitor) -> SignedIn:
    _check_strength(password, account.name)
    hashed = await hash_password(password)
    async with database.write() as session:
        current = await repository.lock_account(session, account.id)
        if current is None or current.is_disabled or current.password_hash != account.password_hash:
            raise PasswordChangeExpired("The account has changed in the meantime.", hint="Sign in again.")
        current.password_hash = hashed
        current.must_change_password = False
        await repository.delete_sessions(session, current.id)
        await repository.delete_attempts(session, rules.account_key(current.name))
        actor = await actor_of(session, current, address=visitor.address)
        await record(session, actor, action="identity.password_changed", subject=current.subject)
        return SignedIn(await _begin_session(session, current, visitor), must_change_password=False)


async def _begin_session(session: WriteSession, account: Account, visitor: Visitor) -> str:
    value, at = rules.new_session_value(), now()
    idle = timedelta(hours=session.services.get(Settings).session.hours)
    ends_at = at + max(LONGEST_SESSION, idle)
    session.add(
        Session(
            id=new_id(),
            value_hash=rules.value_hash(value),
            account_id=account.id,
            created_at=at,
            last_seen_at=at,
            expires_at=rules.session_expiry(at=at, ends_at=ends_at, idle=idle),
            ends_at=ends_at,
            address=visitor.address,
            browser=visitor.browser,
        )
    )
    account.last_seen_at = at
    return value


async def _end_presented(session: WriteSession, value: str) -> None:
    found = await repository.find_session(session, rules.value_hash(value))
    if found is not None:
        await repository.delete_session(session, found[0].id)

"""Hashing of passwords with argon2id (RFC 9106), away from the event loop."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

# The first of OWASP's equal choices (Password Storage Cheat Sheet): 46 MiB and one pass, some 50 ms of one core.
_hasher = PasswordHasher(time_cost=1, memory_cost=47_104, parallelism=1)
# Two at a time, the rest waits in line: sign-ins may not take all memory.
_threads = ThreadPoolExecutor(2, thread_name_prefix="password")


@dataclass(frozen=True)
class Verdict:
    """Whether a password fits; `fresh_hash` replaces a stored hash whose parameters are outdated."""

    fits: bool
    fresh_hash: str | None = None


async def hash_password(password: str) -> str:
    return await asyncio.get_running_loop().run_in_executor(_threads, _hasher.hash, password)


async def verify_password(password: str, stored: str | None) -> Verdict:
    """Compare `password` with a stored hash. Without one it takes as long, so that time does not tell who exists."""
    return await asyncio.get_running_loop().run_in_executor(_threads, _verify, password, stored)


def _verify(password: str, stored: str | None) -> Verdict:
    if stored is None:
        _hasher.hash(password)
        return Verdict(fits=False)
    try:
        _hasher.verify(stored, password)
    except (VerifyMismatchError, InvalidHashError):
        return Verdict(fits=False)
    return Verdict(fits=True, fresh_hash=_hasher.hash(password) if _hasher.check_needs_rehash(stored) else None)

"""Leases: which processes share one database, and which of them is the host.

Each process holds a lease under its executor id, and the host one more under the name `host`. Times are the database's,
so that clocks of machines do not matter. What a lease means, and what happens without it, is `core.replica`'s business.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, delete, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, mapped_column

from roadbed.core.db import Base, ReadSession, WriteSession, locking

HOST = "host"


class LeaseRow(Base):
    """One lease. `holder` is another one at each start of a process; empty once it was taken away."""

    __tablename__ = "leases"

    name: Mapped[str] = mapped_column(primary_key=True)
    holder: Mapped[str] = mapped_column(index=True)
    place: Mapped[str]
    process: Mapped[str]
    address: Mapped[str]
    expires_at: Mapped[datetime]


@dataclass(frozen=True)
class Holder:
    """Who takes leases.

    Args:
        holder: a fresh word for this start of the process.
        place: machine and home folder. Whoever holds the lock of that folder knows that the process before it is gone.
        process: for people: `worker, process 4711 on build-3`.
        address: where it answers.
    """

    holder: str
    place: str
    process: str
    address: str


def _end(seconds: float) -> ColumnElement[datetime]:
    return func.now() + timedelta(seconds=seconds)


async def take(session: WriteSession, name: str, holder: Holder, *, seconds: float) -> bool:
    """Take a lease that is free, has run out, or was held from the same home folder. False: somebody else has it."""
    values = {**asdict(holder), "expires_at": _end(seconds)}
    statement = insert(LeaseRow).values(name=name, **values)
    is_free = or_(LeaseRow.expires_at < func.now(), LeaseRow.place == holder.place)
    statement = statement.on_conflict_do_update(index_elements=["name"], set_=values, where=is_free)
    return (await session.scalars(statement.returning(LeaseRow.name))).one_or_none() is not None


async def renew(session: WriteSession, holder: str, *, seconds: float) -> set[str]:
    """Renew all leases of a holder and return their names: what is missing was taken away."""
    statement = update(LeaseRow).where(LeaseRow.holder == holder).values(expires_at=_end(seconds))
    return set(await session.scalars(statement.returning(LeaseRow.name)))


async def release(session: WriteSession, holder: str) -> None:
    """End all leases of a holder. Its work is taken over like that of one that was killed, only sooner."""
    await session.execute(delete(LeaseRow).where(LeaseRow.holder == holder, LeaseRow.name == HOST))
    await renew(session, holder, seconds=0)


async def get(session: ReadSession, name: str) -> LeaseRow:
    """Return a lease that is known to exist, run out or not."""
    return await session.get_one(LeaseRow, name)


async def find_host_address(session: ReadSession) -> str | None:
    """Return where the host answers, if one is up."""
    query = select(LeaseRow.address).where(LeaseRow.name == HOST, LeaseRow.expires_at > func.now())
    return (await session.scalars(query)).one_or_none()


async def count_others(session: ReadSession, holder: str) -> int:
    """Return how many leases others hold now."""
    others = select(func.count()).where(LeaseRow.holder != holder, LeaseRow.expires_at > func.now())
    return await session.scalar(others) or 0


async def lead(session: WriteSession) -> bool:
    """Be the leader until the end of the transaction. False: another process is."""
    lock = text("SELECT pg_try_advisory_xact_lock(hashtextextended('roadbed: leader', 0))")
    return bool(await session.scalar(lock))


async def list_ended(session: WriteSession) -> list[LeaseRow]:
    """Lock and return the leases of processes that are gone."""
    query = select(LeaseRow).where(LeaseRow.name != HOST, LeaseRow.expires_at < func.now())
    return list(await session.scalars(locking(query)))


async def list_others(session: WriteSession, name: str) -> list[LeaseRow]:
    """Lock and return the leases of all executors but one."""
    return list(await session.scalars(locking(select(LeaseRow).where(LeaseRow.name.not_in((name, HOST))))))

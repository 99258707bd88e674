"""REST: the versions of an entity, and going back to one."""

from collections.abc import Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Path, Query
from pydantic import BaseModel, ConfigDict, Field

from roadbed.catalog.access import EntityReader, EntityWriter
from roadbed.catalog.schemas.changes import ChangeOut
from roadbed.catalog.schemas.entities import PutOut
from roadbed.catalog.service import history
from roadbed.core.db import Reading, Writing
from roadbed.core.etags import IfMatch
from roadbed.core.paging import PageQuery, number_cursor, number_of_cursor
from roadbed.kit.refs import EntityRef

router = APIRouter(tags=["catalog"])

RefOfPath = Annotated[EntityRef, Depends(EntityRef)]
MAX_POSITION = 2**63 - 1
PositionOfPath = Annotated[int, Path(ge=1, le=MAX_POSITION)]


class DifferenceOut(BaseModel):
    """A field that was added (`+`), removed (`-`) or changed (`~`); values longer than 200 characters are cut."""

    model_config = ConfigDict(from_attributes=True)

    sign: str
    name: str
    before: str
    after: str


class VersionOut(ChangeOut):
    """A version of an entity. `differences` are those from the version before, the first hundred."""

    commit_href: str | None = Field(description="The page of the commit, where one is known.")
    run_href: str | None = Field(description="The page of the run that read it.")
    differences: list[DifferenceOut]

    @classmethod
    def of(cls, change: Any, *, commit_href: str | None, differences: Sequence[Any]) -> "VersionOut":
        known = ChangeOut.model_validate(change)
        return cls(
            **known.model_dump(),
            commit_href=commit_href,
            run_href=f"/runs/{known.run_id}" if known.run_id else None,
            differences=[DifferenceOut.model_validate(one) for one in differences],
        )


class VersionsOut(BaseModel):
    items: list[VersionOut]
    next_cursor: str | None


class RestoreIn(BaseModel):
    """Which version an entity shall have again."""

    model_config = ConfigDict(extra="forbid")

    position: int = Field(
        ge=1, le=MAX_POSITION, examples=[1042], description="That of the version in the entity's history."
    )


@router.get("/entities/{kind}/{namespace}/{name}/history")
async def list_history(
    session: Reading, _: EntityReader, ref: RefOfPath, query: Annotated[PageQuery, Query()]
) -> VersionsOut:
    """List the versions of an entity, newest first, with what each changed; also of one that is gone."""
    found = await history.list_versions(session, ref, before=number_of_cursor(query.cursor), limit=query.limit)
    return VersionsOut(
        items=[_show(version) for version in found.items],
        next_cursor=number_cursor(found.older) if found.older is not None else None,
    )


@router.get("/entities/{kind}/{namespace}/{name}/history/{position}")
async def get_version(session: Reading, _: EntityReader, ref: RefOfPath, position: PositionOfPath) -> VersionOut:
    """Return one version of an entity."""
    return _show(await history.get_version(session, ref, position))


@router.post("/entities/{kind}/{namespace}/{name}/restore")
async def restore(actor: EntityWriter, session: Writing, ref: RefOfPath, body: RestoreIn, if_match: IfMatch) -> PutOut:
    """Make an entity that was put over the API what it was in an earlier version, also one that was deleted.

    What is read from a location is refused: it is changed there.
    """
    change = await history.restore_version(session, actor, ref, body.position, condition=if_match)
    return PutOut(ref=str(ref), change=change)


def _show(version: history.Version) -> VersionOut:
    return VersionOut.of(version.change, commit_href=version.commit_href, differences=version.differences)

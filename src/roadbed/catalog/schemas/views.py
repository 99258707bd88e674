"""States of the list of entities, in the URL and as they are kept; saved views as the API takes and gives them."""

from datetime import datetime
from typing import Any, Self, get_origin
from urllib.parse import parse_qsl, urlencode
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from roadbed.catalog.errors import ViewInvalid
from roadbed.catalog.rules.tables import find_columns
from roadbed.catalog.schemas.entities import EntityCriteria, EntityQuery
from roadbed.catalog.types import Bookmark, SavedViewSummary, ViewWish, entity_href
from roadbed.core.paging import PageQuery
from roadbed.kit.text import iso

LONGEST_QUERY = 4_000
_MOST_PARAMETERS = 200
_NOT_KEPT = ("cursor", "limit", "view")
"""What the URL of a list says of one look at it, and no view keeps."""


class ListState(EntityCriteria):
    """What a list shows: which entities, and which columns."""

    columns: list[str] = Field(
        default_factory=list,
        description="With commas between or given several times; also `spec:FIELD`, `computed:NAME`, `label:KEY`, "
        "`annotation:KEY`. The usual ones unless given.",
        examples=["owner,spec:tier"],
    )

    @model_validator(mode="after")
    def _name_columns(self) -> Self:
        self.columns = [column.name for column in find_columns(self.columns, usual=())]
        return self

    @property
    def is_filtered(self) -> bool:
        """Whether it leaves out any entities."""
        return any(getattr(self, name) for name in ListState.model_fields if name not in ("columns", "unowned", "sort"))


class ListQuery(ListState, EntityQuery):
    """The query of the list page: a state, which page of it, and the view that it began with; `all` is none."""

    view: str = ""

    @property
    def state(self) -> str:
        """The state alone, as a view keeps it."""
        return write_state(self)


def read_state(query: str) -> str:
    """Return the query of a list as it is kept.

    Raises:
        ViewInvalid: it is none.
        ColumnUnknown: it asks for a column that there is not.
    """
    if len(query) > LONGEST_QUERY:
        raise ViewInvalid(f"The query is longer than {LONGEST_QUERY:,} characters.", hint="Choose fewer filters.")
    given: dict[str, Any] = {}
    try:
        for name, value in parse_qsl(query.removeprefix("?"), max_num_fields=_MOST_PARAMETERS):
            if name not in _NOT_KEPT:
                given[name] = [*given.get(name, []), value] if name in _LISTS else value
        return write_state(ListState.model_validate(given))
    except ValidationError as error:
        problems = [
            f"query: {'.'.join(map(str, fault['loc'])) or 'the list'} {fault['msg']}"
            for fault in error.errors(include_url=False, include_context=False, include_input=False)
        ]
        raise ViewInvalid("This is not the query of a list of entities.", problems=problems) from error
    except ValueError as error:
        raise ViewInvalid(f"This is not the query of a list: {error}.") from error


def write_state(state: ListState) -> str:
    """Return a state as a query, always in the same order and without what is as usual."""
    pairs: list[tuple[str, str]] = []
    for name in ListState.model_fields:
        value = getattr(state, name)
        if name == "columns":
            pairs += [(name, ",".join(value))] if value else []
        elif isinstance(value, list):
            pairs += [(name, item) for item in value]
        elif isinstance(value, datetime):
            pairs.append((name, iso(value)))
        elif value is True:
            pairs.append((name, "true"))
        elif value:
            pairs.append((name, str(value)))
    return urlencode(pairs)


_LISTS = frozenset(name for name, field in ListState.model_fields.items() if get_origin(field.annotation) is list)


class ViewsQuery(PageQuery):
    """Which of the views, and which page of them."""

    deleted: bool = Field(default=False, description="Those that you can restore.")


class ViewIn(BaseModel):
    """A view to save, or what one shall be."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=200, examples=["Services of ours"])
    query: str = Field(
        "",
        max_length=LONGEST_QUERY,
        description="That of the list page: its filters, text and columns.",
        examples=["kind=component&type=service&columns=owner,health"],
    )
    shared_with: str | None = Field(
        None,
        max_length=500,
        description="`everybody`, or a group that you belong to; null: you alone.",
        examples=["everybody", "group:default/team-checkout"],
    )

    def to_wish(self) -> ViewWish:
        return ViewWish(self.name, read_state(self.query), self.shared_with or None)


class ViewOut(BaseModel):
    """A saved view. It holds what is asked for; what is found depends on who looks."""

    model_config = ConfigDict(from_attributes=True)

    id: UUID
    name: str
    query: str
    shared_with: str | None
    owner: str
    is_own: bool
    is_default: bool
    may_change: bool
    href: str
    etag: str
    updated_at: datetime
    deleted_at: datetime | None

    @classmethod
    def of(cls, view: SavedViewSummary) -> "ViewOut":
        return cls(
            id=view.id,
            name=view.name,
            query=view.query,
            shared_with=view.shared_with,
            owner=view.owner,
            is_own=view.is_own,
            is_default=view.is_default,
            may_change=view.may_change,
            href=view.href,
            etag=view.digest,
            updated_at=view.updated_at,
            deleted_at=view.deleted_at,
        )


class ViewPageOut(BaseModel):
    items: list[ViewOut]
    next_cursor: str | None


class BookmarkOut(BaseModel):
    """An entity that you follow or looked at; `found` is false when it is not in the catalog any more."""

    ref: str
    title: str
    found: bool
    href: str
    at: datetime

    @classmethod
    def of(cls, bookmark: Bookmark) -> "BookmarkOut":
        return cls(
            ref=str(bookmark.ref),
            title=bookmark.title,
            found=bookmark.is_found,
            href=entity_href(bookmark.ref),
            at=bookmark.at,
        )


class BookmarkPageOut(BaseModel):
    items: list[BookmarkOut]
    next_cursor: str | None

"""Cursors of paged queries: they hold the whole question, so that what is asked beside one is not looked at."""

import base64
import binascii
from dataclasses import dataclass
from typing import Any

import orjson

from roadbed.catalog.rules.backstage.errors import BadQuestion
from roadbed.catalog.rules.backstage.filters import all_of, full_text, parse_filters
from roadbed.catalog.rules.backstage.predicates import parse_predicate
from roadbed.catalog.rules.index.conditions import Condition
from roadbed.catalog.rules.index.index import Place
from roadbed.catalog.rules.index.pages import Listing, Sorting, Stretch


@dataclass(frozen=True, slots=True)
class Question:
    """Which entities in which order.

    Args:
        filters: as the parameter `filter` has them.
        predicate: as JSON.
        term: of the full-text filter.
        fields: where it looks.
        order: (key, is descending); None for no order that means anything.
    """

    filters: tuple[str, ...] = ()
    predicate: Any = None
    term: str = ""
    fields: tuple[str, ...] = ()
    order: tuple[str, bool] | None = None

    def condition(self) -> Condition:
        """Return what it asks for.

        Raises:
            BadQuestion: a filter or the predicate is none.
        """
        return all_of(
            (
                parse_filters(self.filters),
                None if self.predicate is None else parse_predicate(self.predicate),
                full_text(self.term, self.fields, order_field=self.order[0] if self.order else None),
            )
        )

    def sorting(self) -> Sorting:
        return Sorting(*self.order) if self.order else Sorting()


@dataclass(frozen=True, slots=True)
class Cursor:
    """Where to go on: behind `at`, or before it when `is_previous`. `first` is where the first page began."""

    question: Question
    first: Place
    at: Place
    is_previous: bool = False

    def encode(self) -> str:
        question = self.question
        data = [
            question.filters,
            question.predicate,
            question.term,
            question.fields,
            question.order,
            [self.first.value, self.first.ref, self.at.value, self.at.ref],
            self.is_previous,
        ]
        return base64.urlsafe_b64encode(orjson.dumps(data)).decode()

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """Read a cursor.

        Raises:
            BadQuestion: it is none of ours.
        """
        try:
            filters, predicate, term, fields, order, places, is_previous = orjson.loads(base64.urlsafe_b64decode(text))
            first_value, first_ref, value, ref = places
            question = Question(tuple(filters), predicate, term, tuple(fields), tuple(order) if order else None)
            is_sound = all(isinstance(part, str) for part in (*places, *filters, *fields, term))
        except (binascii.Error, ValueError, TypeError) as error:
            raise BadQuestion(f"Malformed cursor: {error}") from error
        if not is_sound or (question.order is not None and not _is_order(question.order)):
            raise BadQuestion("Malformed cursor: it is not one of this server")
        return cls(question, Place(first_value, first_ref), Place(value, ref), is_previous=bool(is_previous))


@dataclass(frozen=True, slots=True)
class Turned:
    """One page with the cursors to its neighbours."""

    stretch: Stretch
    next_cursor: str | None
    previous_cursor: str | None


def turn(listing: Listing, question: Question, *, cursor: Cursor | None, limit: int, offset: int = 0) -> Turned:
    """Return the first page, or the one that a cursor leads to."""
    if cursor is None:
        stretch = listing.take(limit, offset=offset)
    elif cursor.is_previous:
        stretch = listing.take_before(limit, cursor.at)
    else:
        stretch = listing.take(limit, after=cursor.at)
    if stretch.first is None or stretch.last is None:
        return Turned(stretch, None, None)
    first = cursor.first if cursor else stretch.first
    has_next = stretch.has_more or (cursor is not None and cursor.is_previous)
    has_previous = cursor is not None and stretch.first != first
    return Turned(
        stretch,
        Cursor(question, first, stretch.last).encode() if has_next else None,
        Cursor(question, first, stretch.first, is_previous=True).encode() if has_previous else None,
    )


def _is_order(order: tuple[Any, ...]) -> bool:
    return len(order) == 2 and isinstance(order[0], str) and isinstance(order[1], bool)

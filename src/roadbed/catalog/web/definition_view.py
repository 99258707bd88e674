"""A definition as its pages show it: lists of parts, parts with rows, lines of text. All of it is work for a thread."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from markupsafe import Markup, escape

from roadbed.catalog.rules.definitions.expansion import Row, expand_section, expand_type
from roadbed.catalog.rules.definitions.kept import KeptDefinition
from roadbed.catalog.rules.definitions.model import Element, Entry, Fact, Group, NamedType
from roadbed.core.highlight import highlight_lines
from roadbed.core.markdown import render_markdown

LINES = 1_000
_LINE_CHARACTERS = 2_000
_INLINE_ROWS = 500
_MOST_ENTRIES = 2_000
_MOST_ROWS = 1_500
_MOST_SECTIONS = 200
_MOST_FACTS = 50
_MOST_PROSE = 20_000
_MOST_PROSE_OF_PAGE = 200_000
_LONGEST_LINKED = 500
_MARKS = frozenset("*_`[]<>#&\n|~!\\-:")


@dataclass(frozen=True)
class ShownRow:
    """A row with its description as HTML and the address of its type."""

    row: Row
    prose: Markup
    href: str | None

    @property
    def limits(self) -> str:
        """What a value must fulfil, as a sentence; the values in it keep their case."""
        text = ", ".join(self.row.rules)
        return text[:1].upper() + text[1:]


@dataclass(frozen=True)
class ShownSection:
    title: str
    description: Markup
    is_required: bool
    rows: Sequence[ShownRow]
    examples: Sequence[str] = ()


@dataclass(frozen=True)
class ShownPart:
    """An element or type. `body` is None where it is fetched when a reader opens it."""

    entry: Entry
    anchor: str
    href: str
    body: "ShownBody | None"


@dataclass(frozen=True)
class ShownBody:
    description: Markup
    facts: Sequence[Fact]
    sections: Sequence[ShownSection]

    @property
    def row_count(self) -> int:
        return sum(len(section.rows) + 1 for section in self.sections)


@dataclass(frozen=True)
class ShownGroup:
    name: str
    anchor: str
    description: Markup
    parts: Sequence[ShownPart]


@dataclass(frozen=True)
class ShownDefinition:
    """What a page lists. `count` is how many parts there are that match, also those beyond what is shown."""

    groups: Sequence[ShownGroup]
    types: ShownGroup | None
    description: Markup
    count: int
    is_cut: bool


class DefinitionView:
    """Shows one definition.

    Args:
        kept: what it says.
        base: the address of its page.
        query: what every address keeps, such as the version.
    """

    def __init__(self, kept: KeptDefinition, *, base: str, query: dict[str, str]) -> None:
        self._kept = kept
        self._base = base
        self._query = query
        self._rows_left = _INLINE_ROWS
        self._prose_left = _MOST_PROSE_OF_PAGE

    def show(self, text: str) -> ShownDefinition:
        """Return the list of everything that matches; bodies as far as a page can hold them."""
        head = self._kept.head
        words = text.lower().split()
        elements = [entry for entry in head.elements if _matches(entry, words)]
        types = [entry for entry in head.types if _matches(entry, words)]
        shown = elements[:_MOST_ENTRIES]
        groups = [self._group(group, [entry for entry in shown if entry.group == group.name]) for group in head.groups]
        shown_types = types[: _MOST_ENTRIES - len(shown)]
        count = len(elements) + len(types)
        return ShownDefinition(
            groups=[group for group in groups if group.parts],
            types=self._group(Group(name="Types"), shown_types) if shown_types else None,
            description=self._prose(head.description),
            count=count,
            is_cut=count > len(shown) + len(shown_types),
        )

    def find_part(self, id_: str) -> ShownPart | None:
        """Return one part with all that is known of it."""
        entry = next((entry for entry in [*self._kept.head.elements, *self._kept.head.types] if entry.id == id_), None)
        return None if entry is None else ShownPart(entry, name_anchor(id_), self._address(id_), self._body(entry))

    def _group(self, group: Group, entries: Sequence[Entry]) -> ShownGroup:
        return ShownGroup(
            group.name,
            name_anchor(f"group:{group.name}"),
            self._prose(group.description),
            [self._part(entry) for entry in entries],
        )

    def _part(self, entry: Entry) -> ShownPart:
        body = None
        if self._rows_left > 0:
            body = self._body(entry)
            self._rows_left -= body.row_count
        return ShownPart(entry, name_anchor(entry.id), self._address(entry.id), body)

    def _body(self, entry: Entry) -> ShownBody:
        element = self._kept.find_element(entry.id)
        if element is not None:
            return self._element(element)
        named = self._kept.find_type(entry.name)
        assert named is not None, "an entry is an element or a type"
        return self._type(named)

    def _element(self, element: Element) -> ShownBody:
        sections: list[ShownSection] = []
        row_count = 0
        for section in element.sections[:_MOST_SECTIONS]:
            rows = self._rows(expand_section(section, self._kept.find_type)) if row_count < _MOST_ROWS else ()
            row_count += len(rows)
            description = self._prose(section.description)
            sections.append(ShownSection(section.title, description, section.is_required, rows, section.examples))
        return ShownBody(self._prose(element.description), element.facts[:_MOST_FACTS], sections)

    def _type(self, named: NamedType) -> ShownBody:
        rows = self._rows(expand_type(named, self._kept.find_type))
        return ShownBody(
            self._prose(named.description),
            (),
            [ShownSection("", Markup(), is_required=False, rows=rows, examples=named.shape.examples)],
        )

    def _rows(self, rows: Sequence[Row]) -> list[ShownRow]:
        return [ShownRow(row, self._prose(row.description), self._type_address(row.ref)) for row in rows]

    def _prose(self, text: str) -> Markup:
        """Return a description as HTML, as long as the page is not full of them."""
        if not text:
            return Markup()
        taken = text[: min(_MOST_PROSE, self._prose_left)]
        self._prose_left -= len(taken)
        return write_prose(taken) if taken else Markup("<p>…</p>")

    def _type_address(self, name: str) -> str | None:
        return self._address(f"type:{name}") if 0 < len(name) <= _LONGEST_LINKED else None

    def _address(self, id_: str) -> str:
        return f"{self._base}?{urlencode({**self._query, 'part': id_})}"


def name_anchor(id_: str) -> str:
    """Return the place of a part on its page, as it stands in an address and in the attribute `id`."""
    return f"part-{quote(id_, safe='')}"


def write_prose(text: str) -> Markup:
    """Return a description, Markdown that strangers wrote, as HTML."""
    if not _MARKS.intersection(text):
        return Markup("<p>{}</p>").format(text)
    return render_markdown(text, link=_leave_out, image=_leave_out)


def _leave_out(_: str) -> None:
    """Return no address: a description stands beside no files that it could name."""


def _matches(entry: Entry, words: Sequence[str]) -> bool:
    text = f"{entry.label} {entry.name} {entry.summary} {entry.group} {entry.id}".lower()
    return all(word in text for word in words)


@dataclass(frozen=True)
class ShownText:
    """Some lines of a text; `first` is the number of the first, `count` how many there are in all."""

    lines: Sequence[Markup]
    first: int
    count: int
    size_bytes: int
    is_cut: bool


def show_text(text: str, *, filename: str, line: int) -> ShownText:
    """Return the lines of a text around a line, coloured; very long lines are cut."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    first = max(0, min(line - 1, len(lines) - 1)) // LINES * LINES
    wanted = lines[first : first + LINES]
    cut = [one if len(one) <= _LINE_CHARACTERS else one[: _LINE_CHARACTERS - 1] + "…" for one in wanted]
    coloured = highlight_lines("\n".join(cut), filename=filename)
    coloured += [escape(one) for one in cut[len(coloured) :]]  # the last ones, when they are empty
    return ShownText(coloured, first + 1, len(lines), len(text.encode()), is_cut=cut != wanted)


def summarise_head(kept: KeptDefinition) -> dict[str, Any]:
    """Return what stands over a definition."""
    head = kept.head
    return {
        "title": head.title,
        "version": head.version,
        "format": head.format,
        "facts": head.facts[:_MOST_FACTS],
        "notices": head.notices,
        "elements": len(head.elements),
        "types": len(head.types),
    }

"""What a clean page says of itself: its title, its headings, its words, and the addresses it leads to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html.parser import HTMLParser

from roadbed.docs.types import Heading

MAX_TEXT_BYTES = 300_000
"""PostgreSQL indexes at most 1 MB of words and their places."""
_MAX_TITLE = 200
_MAX_HEADINGS = 300
_HEADING = re.compile(r"h([1-6])")
_FIRST_TITLE = re.compile(r"\s*<h1[^>]*>(.*?)</h1>", re.DOTALL)
_ID = re.compile(r"""<h[1-6]\b[^>]{0,500}?\sid=(?:"([^"]{0,300})"|'([^']{0,300})')""", re.IGNORECASE)
_BREAKS = frozenset({"p", "li", "td", "th", "pre", "br", "h1", "h2", "h3", "h4", "h5", "h6", "dt", "dd", "div", "tr"})


@dataclass
class Outline:
    """What was found in a page."""

    headings: list[Heading] = field(default_factory=list)
    text: str = ""
    addresses: list[str] = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.outline = Outline()
        self._parts: list[str] = []
        self._heading: tuple[int, str] | None = None
        self._title: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _BREAKS:
            self._parts.append(" ")
        values = dict(attrs)
        match = _HEADING.fullmatch(tag)
        if match is not None:
            self._heading, self._title = (int(match[1]), values.get("id") or ""), []
        if tag == "a" and values.get("href"):
            self.outline.addresses.append(str(values["href"]))

    def handle_endtag(self, tag: str) -> None:
        if self._heading is None or tag != f"h{self._heading[0]}":
            return
        level, name = self._heading
        self._heading = None
        title = squeeze("".join(self._title))[:_MAX_TITLE]
        if title and name and len(self.outline.headings) < _MAX_HEADINGS:
            self.outline.headings.append(Heading(level, name, title))

    def handle_data(self, data: str) -> None:
        self._parts.append(data)
        if self._heading is not None:
            self._title.append(data)

    def finish(self) -> Outline:
        self.close()
        text = squeeze("".join(self._parts)).encode()[:MAX_TEXT_BYTES]
        self.outline.text = text.decode("utf-8", "ignore")
        return self.outline


def read_outline(html: str) -> Outline:
    """Return the headings, words and addresses of clean HTML."""
    reader = _Reader()
    reader.feed(html)
    return reader.finish()


def take_title(html: str) -> tuple[str | None, str]:
    """Return the title of clean HTML and the rest of it: the heading it begins with stands over the page already."""
    match = _FIRST_TITLE.match(html)
    if match is None:
        return None, html
    title = squeeze(read_outline(match[0]).text)[:_MAX_TITLE]
    return title or None, html[match.end() :]


def list_ids(html: str) -> frozenset[str]:
    """Return the ids of the headings of HTML that is not clean yet."""
    return frozenset(first or second for first, second in _ID.findall(html))


def squeeze(text: str) -> str:
    """Return text with single spaces."""
    return " ".join(text.split())


def find_excerpt(text: str, words: Sequence[str], *, width: int = 160) -> str:
    """Return the words around the first that was found."""
    lowered = text.lower()
    places = [place for word in words if (place := lowered.find(word.lower())) >= 0]
    start = max(0, min(places, default=0) - width // 3)
    if start:
        start = text.find(" ", start) + 1
    excerpt = text[start : start + width]
    return f"{'… ' if start else ''}{excerpt}{' …' if start + width < len(text) else ''}"

"""Markdown that users wrote, as HTML that is safe in our pages.

HTML inside it is kept as far as it is harmless. Classes are those of the code highlighter and of boxed notes only, so
that a text cannot dress up as a part of the page; images from elsewhere are left out, as the page's policy would
refuse them anyway.
"""

import re
from collections import Counter
from collections.abc import Callable, Iterable
from itertools import pairwise
from typing import Any
from urllib.parse import urlsplit

import nh3
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from pygments.token import STANDARD_TYPES

from roadbed.core.highlight import highlight_block
from roadbed.kit.text import slugify

MAX_CHARACTERS = 500_000
PREFIX = "text-"
_TAGS = {
    *("a", "abbr", "b", "blockquote", "br", "code", "dd", "del", "details", "div", "dl", "dt", "em", "hr", "i", "img"),
    *("h1", "h2", "h3", "h4", "h5", "h6", "ins", "kbd", "li", "mark", "ol", "p", "pre", "q", "s", "samp", "small"),
    *("span", "strong", "sub", "summary", "sup", "table", "tbody", "td", "tfoot", "th", "thead", "tr", "ul", "var"),
}
_ATTRIBUTES = {
    "a": {"href", "title"},
    "img": {"src", "alt", "title", "width", "height"},
    "ol": {"start"},
    "td": {"colspan", "rowspan"},
    "th": {"colspan", "rowspan", "scope"},
    **{f"h{level}": {"id"} for level in range(1, 7)},
}
_CLASSES = {
    "span": {name for name in STANDARD_TYPES.values() if name},
    "pre": {"highlight"},
    "div": {"highlight", "admonition"},
    "p": {"admonition-title"},
}

_MOST_CHARACTERS = 4_000_000
_DEEPEST = 500
_VOID = {
    "area",
    "base",
    "br",
    "col",
    "embed",
    "hr",
    "img",
    "input",
    "link",
    "meta",
    "source",
    "track",
    "wbr",
    "p",
    "li",
}
"""Elements that hold nothing, and those that the next one of their kind closes."""
_ELEMENT = re.compile(r"<(/?)([a-zA-Z][a-zA-Z0-9-]*)")
_IMAGE = re.compile(r'<img((?: [\w-]+="[^"]*")*)>')
_ALT = re.compile(r' alt="([^"<>]*)"')

Link = Callable[[str], str | None]


def render_markdown(text: str, *, link: Link, image: Link) -> Markup:
    """Return `text` as HTML that is safe; one that would be huge or nested without end as HTML is shown as it is.

    Args:
        text: Markdown (CommonMark with tables and strikethrough).
        link: gives the address for a relative link; None to leave it out.
        image: gives the address for a relative image; None to leave it out.
    """
    tokens = _parse(text)
    if _count_characters(tokens) <= _MOST_CHARACTERS:
        html = _write(tokens)
        if _measure_depth(html) <= _DEEPEST:
            return clean_html(html, link=link, image=image)
    said = "This text is too large or too deeply nested to be laid out, so it is shown as it was written."
    return Markup("<p><em>{}</em></p><pre>{}</pre>").format(said, text[:MAX_CHARACTERS])


def write_html(text: str) -> str:
    """Return Markdown as HTML, in which whatever the text holds still stands: only for `clean_html`."""
    return _write(_parse(text))


def _parse(text: str) -> list[Token]:
    tokens = _PARSER.parse(text[:MAX_CHARACTERS])
    _name_headings(tokens)
    return tokens


def _write(tokens: list[Token]) -> str:
    html: str = _PARSER.renderer.render(tokens, _PARSER.options, {})
    return html


def _count_characters(tokens: Iterable[Token]) -> int:
    """Return about how many characters the HTML has: an address that is given once may be used over and over."""
    return sum(
        len(token.content)
        + sum(len(str(value)) for value in token.attrs.values())
        + _count_characters(token.children or ())
        for token in tokens
    )


def _measure_depth(html: str) -> int:
    """Return how deep elements are nested, those that nobody closes included: cleaning costs the square of it."""
    held: Counter[str] = Counter()
    depth = deepest = 0
    for match in _ELEMENT.finditer(html):
        name = match[2].lower()
        if name in _VOID:
            continue
        if not match[1]:
            held[name] += 1
            depth += 1
            deepest = max(deepest, depth)
        elif held[name]:  # the end of what was not begun ends nothing
            held[name] -= 1
            depth -= 1
    return deepest


def clean_html(html: str, *, link: Link, image: Link, anchor: Link | None = None) -> Markup:
    """Return what is harmless of HTML that others made.

    The ids of headings get a prefix, which keeps them apart from the page's own.

    Args:
        html: from anywhere.
        link: as in `render_markdown`.
        image: as in `render_markdown`.
        anchor: gives the address for a link within the page; without it they are taken as they are.
    """

    def filter_attribute(_: str, attribute: str, value: str) -> str | None:
        if attribute == "href" and value.startswith("#"):
            return anchor(value) if anchor else f"#{PREFIX}{value[1:]}"
        if attribute == "href":
            return _address(value, link, is_image=False)
        if attribute == "src":
            return _address(value, image, is_image=True)
        return f"{PREFIX}{value}" if attribute == "id" else value

    clean = nh3.clean(
        html,
        tags=_TAGS,
        attributes=_ATTRIBUTES,
        allowed_classes=_CLASSES,
        attribute_filter=filter_attribute,
        set_tag_attribute_values={"pre": {"tabindex": "0"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="noopener noreferrer nofollow",
    )
    return Markup(_IMAGE.sub(_say_image, clean))  # noqa: S704 - cleaned by nh3 just now


def _say_image(match: re.Match[str]) -> str:
    """Return an image as it is, or its description (escaped already) when there is no address left."""
    if ' src="' in match[1]:
        return match[0]
    said = _ALT.search(match[1])
    return said[1] if said else ""


def _address(value: str, resolve: Link, *, is_image: bool) -> str | None:
    try:
        parts = urlsplit(value)
    except ValueError:  # brackets that hold no address
        return None
    if parts.scheme or parts.netloc:
        return None if is_image else value
    return resolve(value)


def _name_headings(tokens: list[Token]) -> None:
    """Give headings ids, so that a table of contents works."""
    used: dict[str, int] = {}
    for token, inline in pairwise(tokens):
        if token.type == "heading_open":
            name = slugify("".join(child.content for child in inline.children or [])) or "section"
            count = used[name] = used.get(name, 0) + 1
            token.attrSet("id", name if count == 1 else f"{name}-{count - 1}")


def _highlight(code: str, language: str, _: Any) -> str:
    return f'<pre class="highlight"><code>{highlight_block(code, language=language)}</code></pre>'


_PARSER = MarkdownIt("commonmark", {"html": True, "highlight": _highlight}).enable(["table", "strikethrough"])

"""Source code as HTML: classes of Pygments, coloured by the style sheet of the shell."""

from functools import lru_cache

from markupsafe import Markup, escape
from pygments import highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import get_lexer_by_name, get_lexer_for_filename
from pygments.lexers.special import TextLexer
from pygments.util import ClassNotFound

MAX_CHARACTERS = 300_000
"""Longer texts are shown plain: colouring takes about a second for each MB."""


def highlight_lines(text: str, *, filename: str) -> list[Markup]:
    """Return the lines of a file, coloured by what its name says it is."""
    return list(_lines(text, filename))


@lru_cache(maxsize=64)
def _lines(text: str, filename: str) -> tuple[Markup, ...]:
    try:
        lexer: Lexer = get_lexer_for_filename(filename, stripnl=False, ensurenl=False)
    except ClassNotFound:
        lexer = TextLexer(stripnl=False, ensurenl=False)
    html = _html(text, lexer)
    lines = html.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    return tuple(Markup(line) for line in lines)  # noqa: S704 - made by Pygments, which escapes


def highlight_block(text: str, *, language: str) -> Markup:
    """Return a block of code, coloured when `language` is known."""
    try:
        lexer: Lexer = get_lexer_by_name(language, stripnl=False) if language else TextLexer()
    except ClassNotFound:
        lexer = TextLexer()
    return Markup(_html(text, lexer))  # noqa: S704 - made by Pygments, which escapes


def _html(text: str, lexer: Lexer) -> str:
    if len(text) > MAX_CHARACTERS or isinstance(lexer, TextLexer):
        return str(escape(text))
    html: str = highlight(text, lexer, HtmlFormatter(nowrap=True))
    return html

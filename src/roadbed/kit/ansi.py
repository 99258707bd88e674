"""ANSI colours of log lines as CSS classes; every other escape sequence is dropped.

static/js/follow.js does the same for lines that arrive live.
"""

import re

_ESCAPE = re.compile(r"\x1b\[([0-9;]*)([A-Za-z])|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white")
_STYLES = {1: "ansi-bold", 2: "ansi-dim", 3: "ansi-italic", 4: "ansi-underline"}


def spans(text: str) -> list[tuple[str, str]]:
    """Return `(classes, text)` for each stretch of one style; classes are separated by spaces, "" is plain."""
    found: list[tuple[str, str]] = []
    styles: list[str] = []
    start = 0
    for match in _ESCAPE.finditer(text):
        if match.start() > start:
            found.append((" ".join(styles), text[start : match.start()]))
        if match.group(2) == "m":
            styles = _apply(match.group(1), styles)
        start = match.end()
    if start < len(text):
        found.append((" ".join(styles), text[start:]))
    return found


def strip(text: str) -> str:
    """Return `text` without escape sequences."""
    return _ESCAPE.sub("", text)


def _apply(codes: str, styles: list[str]) -> list[str]:
    for code in (int(part or 0) for part in codes.split(";")):
        if code == 0:
            styles = []
        elif code in _STYLES:
            styles = [*styles, _STYLES[code]]
        elif code == 22:
            styles = [style for style in styles if style not in ("ansi-bold", "ansi-dim")]
        elif code == 39 or 30 <= code <= 37 or 90 <= code <= 97:
            styles = [style for style in styles if style in _STYLES.values()]
            if code != 39:
                is_bright = code >= 90
                styles = [*styles, f"ansi-{'bright-' if is_bright else ''}{_COLOURS[code % 10]}"]
    return styles

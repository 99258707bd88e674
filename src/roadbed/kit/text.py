"""Words for values: ages, durations, sizes, plurals, slugs."""

import re
import unicodedata
from datetime import UTC, datetime

from roadbed.kit.clock import now

_DIGEST = re.compile(r"\b[0-9a-f]{40,64}\b")
_UNITS = ((86_400 * 365, "year", "y"), (86_400, "day", "d"), (3_600, "h", "h"), (60, "min", "min"), (1, "s", "s"))


def _age(at: datetime) -> tuple[int, str, str]:
    seconds = max(int(abs((now() - at).total_seconds())), 0)
    for size, word, short in _UNITS:
        if seconds >= size:
            return seconds // size, word, short
    return 0, "s", "s"


def ago(at: datetime, short: bool = False) -> str:  # noqa: FBT001, FBT002 - a template filter: `{{ at | ago(true) }}`
    """Return an age for a sentence (`3 min ago`, `in 4 h`), or for a column (`3 min`)."""
    count, word, unit = _age(at)
    if short:
        return f"{count} {unit}"
    if count == 0:
        return "just now"
    phrase = f"{count} {word}{'s' if word in ('day', 'year') and count != 1 else ''}"
    return f"in {phrase}" if at > now() else f"{phrase} ago"


def name_actor(label: str) -> str:
    """Return who an actor's label stands for, in words: `user:ines` is `ines`, and `system:sample` is `Roadbed`."""
    kind, _, name = label.partition(":")
    return "Roadbed" if kind == "system" else name or label


def shorten_digests(text: str) -> str:
    """Return `text` with its commits and digests cut to what people read of them."""
    return _DIGEST.sub(lambda match: match[0][:12], text)


def duration(seconds: float | None) -> str:
    """Return a time span: `< 0.1 s`, `0.4 s` below ten seconds, `31 s` below a minute, then `01:54` and `2:03:11`."""
    if seconds is None:
        return "–"
    if 0 <= seconds < 0.05:
        return "< 0.1 s"
    if seconds < 10:
        return f"{seconds:.1f} s"
    whole = int(seconds)
    if whole < 60:
        return f"{whole} s"
    hours, rest = divmod(whole, 3600)
    minutes, left = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes:02}:{left:02}"


def filesize(size_bytes: int) -> str:
    """Return a size in powers of 1,000: `532 B`, `1.4 MB`."""
    size = float(size_bytes)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000 or unit == "GB":
            return f"{size:.0f} {unit}" if unit == "B" or size >= 100 else f"{size:.1f} {unit}"
        size /= 1000
    raise AssertionError("unreachable")


def clean_text(text: str) -> str:
    """Return `text` as PostgreSQL can store it: without NUL and lone surrogates."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()


def iso(at: datetime) -> str:
    """Return a time for `datetime` attributes and titles: `2026-11-19T14:31:36Z`."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def number(value: int | str) -> str:
    """Return a count with separators: `10,008`; words stay as they are."""
    return f"{value:,}" if isinstance(value, int) else value


def plural(count: int, one: str, many: str | None = None) -> str:
    """Return `1 step`, `3 steps`."""
    return f"{count:,} {one if count == 1 else many or one + 's'}"


def slugify(text: str) -> str:
    """Return lower-case letters, digits and single dashes: `Team Checkout` → `team-checkout`."""
    ascii_text = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_text).strip("-")

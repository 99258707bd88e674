"""The sections of a runbook, and which of them is meant by the name of an alert."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

MOST_SECTIONS = 12
_NOT_LETTERS = re.compile(r"[^a-z0-9]+")
_SECTION_LEVEL = 2


def find_section(headings: Iterable[Mapping[str, Any]], alert: str) -> str | None:
    """Return the id of the heading that an alert's name stands for: `HighLatency` and `high-latency` are the same."""
    wanted = _squeeze(alert)
    return next((heading["id"] for heading in headings if wanted and _squeeze(heading["title"]) == wanted), None)


def list_sections(headings: Iterable[Mapping[str, Any]]) -> Sequence[tuple[str, str]]:
    """Return id and title of the sections, the first of them: each is for one alert, or for a first step."""
    return [(one["id"], one["title"]) for one in headings if one["level"] == _SECTION_LEVEL][:MOST_SECTIONS]


def _squeeze(text: str) -> str:
    return _NOT_LETTERS.sub("", text.lower())

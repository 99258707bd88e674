"""Durations as Backstage writes them: `{minutes: 30}`, `PT30M`, `30m`, `30 minutes`."""

import re
from collections.abc import Mapping
from typing import Any

_SECONDS = {"second": 1.0, "minute": 60.0, "hour": 3600.0, "day": 86_400.0, "week": 604_800.0, "millisecond": 0.001}
_SHORT = {"ms": "millisecond", "s": "second", "m": "minute", "h": "hour", "d": "day", "w": "week"}
_ISO = re.compile(r"P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?")
_WORDS = re.compile(r"(\d+(?:\.\d+)?)\s*([a-z]+)")


def read_seconds(value: Any) -> int | None:
    """Return the seconds of a duration; None for what is none, such as a cron expression."""
    if isinstance(value, Mapping):
        parts = [(_SECONDS.get(str(unit).removesuffix("s")), amount) for unit, amount in value.items()]
        if not parts or any(seconds is None or not isinstance(amount, int | float) for seconds, amount in parts):
            return None
        return round(sum(float(amount) * (seconds or 0) for seconds, amount in parts))
    text = str(value).strip()
    iso = _ISO.fullmatch(text)
    if iso is not None and any(iso.groups()):
        units = ("week", "day", "hour", "minute", "second")
        return round(sum(float(n) * _SECONDS[unit] for n, unit in zip(iso.groups(), units, strict=True) if n))
    words = _WORDS.fullmatch(text.lower())
    if words is None:
        return None
    unit = _SHORT.get(words[2], words[2].removesuffix("s"))
    return round(float(words[1]) * _SECONDS[unit]) if unit in _SECONDS else None

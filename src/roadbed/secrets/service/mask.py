"""The mask of this process: it knows every value of the vault and removes them from what is shown or logged."""

import threading
from typing import Any

from roadbed.core.redaction import Redactor


class SecretMask:
    """Masks all values it was told, in all their forms, and whatever has the shape of a token of Roadbed.

    Building a `Redactor` costs about 0.1 ms a value, so values are kept in tiers that double in size: telling it one
    more value stays cheap with thousands known. Values are never forgotten while the process lives: what was a secret
    may still stand in a log that is read later.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: set[str] = set()
        self._tiers: tuple[tuple[frozenset[str], Redactor], ...] = ((frozenset(), Redactor(())),)

    def add(self, *values: str) -> None:
        """Mask these values from now on."""
        with self._lock:
            fresh = frozenset(values) - self._known
            if not fresh:
                return
            self._known |= fresh
            tiers = list(self._tiers)
            while tiers and len(tiers[-1][0]) <= len(fresh):
                fresh |= tiers.pop()[0]
            self._tiers = (*tiers, (fresh, Redactor(fresh)))

    def mask(self, text: str) -> str:
        """Return `text` without any of the values."""
        for _, redactor in self._tiers:
            text = redactor.mask(text)
        return text

    def mask_data(self, value: Any) -> Any:
        """Return a JSON-like structure without any of the values in its strings."""
        for _, redactor in self._tiers:
            value = redactor.mask_data(value)
        return value

    def redactor(self) -> Redactor:
        """Return one redactor for all values known now, as a stream needs it."""
        with self._lock:
            if len(self._tiers) > 1:
                self._tiers = ((frozenset(self._known), Redactor(self._known)),)
            return self._tiers[0][1]

"""Backstage's `catalog.rules`: which kinds a location may bring. Rules only ever add to what is allowed."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_KINDS = ("API", "Component", "Location")
"""What Backstage allows where no rules are given."""

Note = Callable[[str, str], None]


@dataclass(frozen=True)
class _Rule:
    kinds: tuple[str, ...]
    locations: tuple[Mapping[str, Any], ...] | None

    def holds_for(self, type_: str, target: str) -> bool:
        return self.locations is None or any(_is_meant(one, type_, target) for one in self.locations)


@dataclass
class Rules:
    """All rules of a configuration."""

    note: Note
    rules: list[_Rule] = field(default_factory=list)

    @classmethod
    def read(cls, value: Any, note: Note) -> "Rules":
        """Read `catalog.rules`; what cannot be kept is noted."""
        found = cls(note)
        if value is None:
            found.rules.append(_Rule(DEFAULT_KINDS, None))
        for number, rule in enumerate(value or ()):
            origin = f"catalog.rules[{number}]"
            if not isinstance(rule, Mapping):
                note(origin, "it is no rule")
                continue
            locations = rule.get("locations")
            places = None if locations is None else tuple(one for one in locations if isinstance(one, Mapping))
            found.rules.append(_Rule(found.kinds_in(rule, origin), places))
        return found

    def kinds_of(self, type_: str, target: str, own: Any, origin: str) -> list[str]:
        """Return the kinds that one location may bring, by its own rules and those of all."""
        kinds = {kind for rule in self.rules if rule.holds_for(type_, target) for kind in rule.kinds}
        for number, rule in enumerate(own or ()):
            if isinstance(rule, Mapping):
                kinds.update(self.kinds_in(rule, f"{origin}.rules[{number}]"))
        return sorted(kinds)

    def kinds_in(self, rule: Mapping[str, Any], origin: str) -> tuple[str, ...]:
        kinds = []
        for item in rule.get("allow") or ():
            if isinstance(item, str):
                kinds.append(item)
            elif isinstance(item, Mapping) and set(item) == {"kind"}:
                kinds.append(str(item["kind"]))
            else:
                self.note(origin, f"{item!r}: a rule here names kinds and nothing of their content; it allows nothing")
        return tuple(kinds)


def _is_meant(place: Mapping[str, Any], type_: str, target: str) -> bool:
    if place.get("type") != type_:
        return False
    if place.get("exact") is not None:
        return bool(place["exact"] == target)
    if place.get("pattern") is not None:
        # Backstage's patterns are those of minimatch: a star stays within a folder, two stars do not.
        pattern = re.escape(str(place["pattern"])).replace(r"\*\*", ".*").replace(r"\*", "[^/]*").replace(r"\?", "[^/]")
        return re.fullmatch(pattern, target) is not None
    return True

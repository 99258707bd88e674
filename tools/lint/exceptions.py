"""The list of places that may break a rule, each with its reason."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

FILE = "exceptions.toml"
REASON_MIN_LENGTH = 15


class ExceptionsError(Exception):
    """The list itself is wrong."""


@dataclass(frozen=True)
class RuleException:
    """One allowed breach.

    Args:
        rule: name of the rule.
        path: the file, relative to the repository.
        reason: why the rule is wrong here.
        scope: the function or class, as `Class.method`; None for anywhere in the file.
    """

    rule: str
    path: str
    reason: str
    scope: str | None = None

    def covers(self, *, rule: str, path: str, scope: str) -> bool:
        return self.rule == rule and self.path == path and self.scope in (None, scope)


def read_exceptions(file: Path, rule_names: set[str]) -> tuple[RuleException, ...]:
    """Read the list.

    Raises:
        ExceptionsError: an entry has unknown keys, an unknown rule or no real reason.
    """
    entries = tomllib.loads(file.read_text(encoding="utf-8")).get("exception", [])
    return tuple(_read_entry(entry, rule_names) for entry in entries)


def _read_entry(entry: dict[str, str], rule_names: set[str]) -> RuleException:
    shown = f"{FILE}: entry {entry}"
    try:
        exception = RuleException(**entry)
    except TypeError as error:
        raise ExceptionsError(f"{shown} needs rule, path and reason, and may have scope: {error}") from error
    if exception.rule not in rule_names:
        raise ExceptionsError(f"{shown} names no rule; there are {', '.join(sorted(rule_names))}")
    if len(exception.reason.strip()) < REASON_MIN_LENGTH:
        raise ExceptionsError(f"{shown} needs a reason that explains why the rule is wrong there")
    return exception

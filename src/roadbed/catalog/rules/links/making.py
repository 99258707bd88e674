"""Links out of annotations. What stands in one is a stranger's: it becomes a part of an address, never another one."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from string import Formatter
from urllib.parse import quote, urlsplit, urlunsplit

from roadbed.catalog.rules.links.table import RULES, SOURCE_LOCATION, LinkRule

LONGEST = 2000
_HOST = re.compile(r"(?!-)[A-Za-z0-9.-]{1,253}(?::\d{1,5})?")
_KEPT_IN_ADDRESSES = "/?#[]@!$&'()*+,;=:%-._~"


class Unfit(ValueError):
    """A value that cannot stand where it should."""


@dataclass(frozen=True)
class ImpliedLink:
    """A link that an annotation implies; `value` is what it says."""

    annotation: str
    value: str
    title: str
    url: str
    icon: str


@dataclass(frozen=True)
class MissingLink:
    """A link that there would be if a setting of `[catalog.links]` were set."""

    annotation: str
    title: str
    setting: str


@dataclass(frozen=True)
class Links:
    """What the annotations of an entity lead to."""

    found: Sequence[ImpliedLink]
    missing: Sequence[MissingLink]


def imply_links(annotations: Mapping[str, str], bases: Mapping[str, str], *, known: Iterable[str] = ()) -> Links:
    """Return what annotations lead to, in the order of the table.

    Args:
        annotations: of an entity.
        bases: the addresses of `[catalog.links]` that are set.
        known: addresses that the entity names itself; they are not told twice.
    """
    told = {url.rstrip("/") for url in known}
    found: list[ImpliedLink] = []
    missing: list[MissingLink] = []
    for annotation, rules in _BY_ANNOTATION.items():
        made = _imply(annotations.get(annotation, "").strip(), rules, annotations, bases)
        if isinstance(made, MissingLink):
            missing.append(made)
        elif made is not None and made.url.rstrip("/") not in told:
            told.add(made.url.rstrip("/"))
            found.append(made)
    return Links(found, missing)


def _imply(
    value: str, rules: Sequence[LinkRule], annotations: Mapping[str, str], bases: Mapping[str, str]
) -> ImpliedLink | MissingLink | None:
    """Return what the first rule that fits makes of a value; what is missing when only a setting stands in its way."""
    missing = None
    if not value or len(value) > LONGEST or not value.isprintable():
        return None
    for rule in rules:
        values = _values_of(rule, value, annotations)
        if values is None:
            continue
        if "{base}" in rule.url:
            base = bases.get(rule.setting) or _base_of(rule, value, annotations)
            if not base:
                missing = missing or MissingLink(rule.annotation, rule.title, rule.setting)
                continue
            values["base"] = base
        try:
            return ImpliedLink(rule.annotation, value, rule.title, write_url(rule.url, values), rule.icon)
        except Unfit:
            continue
    return missing


def _values_of(rule: LinkRule, value: str, annotations: Mapping[str, str]) -> dict[str, str] | None:
    """Return what the address of a rule is made of; None where the rule does not fit."""
    match = rule.pattern.fullmatch(value)
    if match is None or any(annotations.get(name) for name in rule.unless):
        return None
    others = {name: annotations.get(annotation, "").strip() for name, annotation in rule.also.items()}
    return {**match.groupdict(), **others} if all(others.values()) else None


def _base_of(rule: LinkRule, value: str, annotations: Mapping[str, str]) -> str:
    """Return the server that an entity was read from when its source is what the value names, else the usual one."""
    source = annotations.get(SOURCE_LOCATION) if rule.is_of_source else None
    if source is not None and source.startswith(("url:http://", "url:https://")):
        try:
            parts = urlsplit(source.removeprefix("url:"))
        except ValueError:
            return rule.base
        if _HOST.fullmatch(parts.netloc) and f"{parts.path}/".lower().startswith(f"/{value}/".lower()):
            return f"{parts.scheme}://{parts.netloc}"
    return rule.base


def write_url(template: str, values: Mapping[str, str]) -> str:
    """Fill in an address.

    Raises:
        Unfit: a value cannot stand in its place.
    """
    parts: list[str] = []
    for text, name, form, _ in Formatter().parse(template):
        parts.append(text)
        if name is not None:
            parts.append(values[name] if name == "base" else FORMS[form or ""](values[name]))
    return "".join(parts)


def _write_segment(value: str) -> str:
    if value in ("", ".", ".."):
        raise Unfit(value)
    return quote(value, safe="")


def _write_path(value: str) -> str:
    return "/".join(map(_write_segment, value.strip("/").split("/")))


def _write_jobs(value: str) -> str:
    return "/".join(f"job/{_write_segment(part)}" for part in value.strip("/").split("/"))


def _write_host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise Unfit(value)
    return value


def _write_place(value: str) -> str:
    host, _, path = value.partition("/")
    return f"{_write_host(host)}/{_write_path(path)}"


def _write_quoted(value: str) -> str:
    """Write what stands between quotation marks of a query."""
    if set(value) & set('"\\'):
        raise Unfit(value)
    return quote(value, safe="")


def _write_address(value: str) -> str:
    """Write what is an address itself: of a website, without a name or password."""
    try:
        parts = urlsplit(value)
        is_sound = parts.scheme.lower() in ("http", "https") and _HOST.fullmatch(parts.netloc) is not None
    except ValueError:
        is_sound = False
    if not is_sound:
        raise Unfit(value)
    return quote(urlunsplit(parts), safe=_KEPT_IN_ADDRESSES)


FORMS: Mapping[str, Callable[[str], str]] = {
    "": _write_segment,
    "path": _write_path,
    "jobs": _write_jobs,
    "host": _write_host,
    "place": _write_place,
    "quoted": _write_quoted,
    "address": _write_address,
}
_BY_ANNOTATION = {
    name: tuple(rule for rule in RULES if rule.annotation == name)
    for name in dict.fromkeys(rule.annotation for rule in RULES)
}

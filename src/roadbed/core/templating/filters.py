"""The filters of templates: Backstage's own, and those of Jinja that Nunjucks has too."""

import functools
import html
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jinja2.exceptions import TemplateRuntimeError
from jinja2.filters import FILTERS
from jinja2.runtime import Undefined

from roadbed.core.templating.javascript import join, replace, to_json, to_text
from roadbed.core.templating.limits import LimitReached, current_budget
from roadbed.kit.refs import InvalidRef, parse_ref

Filter = Callable[..., Any]

_SHARED = """
    abs batch capitalize d default dictsort first float groupby indent int items last length count list lower map max
    min reject rejectattr reverse round select selectattr slice sort striptags sum title trim truncate unique upper
    urlencode wordcount wordwrap
""".split()  # noqa: SIM905 - a list of 36 quoted names is harder to read
_OF_TEXT = frozenset({"capitalize", "indent", "lower", "striptags", "title", "trim", "truncate", "upper", "wordwrap"})
_LARGEST_NUMBER = {"batch": 1_000, "dump": 10, "indent": 100, "slice": 1_000, "tojson": 10, "wordwrap": 10_000}
_REPO_URL_PARTS = ("owner", "organization", "workspace", "project", "repo")


def make_filters(own: Mapping[str, Filter]) -> dict[str, Filter]:
    """Return all filters by name, each counting against the budget.

    Args:
        own: further filters of the caller; plain functions of JSON values.
    """
    filters = {name: FILTERS[name] for name in _SHARED} | _BACKSTAGE | dict(own)
    return {name: _guard(name, function) for name, function in filters.items()}


def _guard(name: str, function: Filter) -> Filter:
    largest = _LARGEST_NUMBER.get(name)

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        budget = current_budget()
        budget.take_step()
        if largest is not None:
            _refuse_large(name, [*arguments, *options.values()], largest)
        result = function(*arguments, **options)
        return budget.take(str(result) if isinstance(result, str) else result)

    # The first parameter may be Jinja's context; only text filters, which have none, are adapted.
    return _of_text(call) if name in _OF_TEXT else call


def _of_text(function: Filter) -> Filter:
    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        given = [to_text(argument) if is_value else argument for is_value, argument in _values(function, arguments)]
        return function(*given, **options)

    return call


def _values(function: Filter, arguments: tuple[Any, ...]) -> list[tuple[bool, Any]]:
    """Mark the filtered value, which follows Jinja's own argument where the filter takes one."""
    at = 1 if hasattr(function, "jinja_pass_arg") else 0
    return [(index == at, argument) for index, argument in enumerate(arguments)]


def _refuse_large(name: str, arguments: list[Any], largest: int) -> None:
    for argument in arguments:
        if isinstance(argument, int) and abs(argument) > largest:
            raise LimitReached(f"The filter {name} takes numbers up to {largest}, not {argument}.")


def parse_repo_url(value: Any) -> dict[str, str]:
    """Split `host?owner=…&repo=…`, as the form field RepoUrlPicker makes it.

    Raises:
        TemplateRuntimeError: the host or the repository is missing.
    """
    text = to_text(value)
    parts = urlsplit(f"https://{text}")
    found = {name: values[0] for name, values in parse_qs(parts.query).items() if name in _REPO_URL_PARTS}
    if not parts.netloc or not found.get("repo"):
        raise TemplateRuntimeError(f'"{text}" is no repository address: expected HOST?owner=OWNER&repo=NAME.')
    return {"host": parts.netloc, **found}


def _parse_entity_ref(value: Any, defaults: Mapping[str, Any] | None = None) -> dict[str, str]:
    given = defaults or {}
    try:
        ref = parse_ref(
            None if isinstance(value, Undefined) else value,
            default_kind=given.get("defaultKind"),
            default_namespace=given.get("defaultNamespace"),
        )
    except InvalidRef as error:
        raise TemplateRuntimeError(f"{error}.") from error
    return {"kind": ref.kind, "namespace": ref.namespace, "name": ref.name}


def _project_slug(value: Any) -> str:
    parts = parse_repo_url(value)
    return f"{parts.get('owner', '')}/{parts['repo']}"


def _pick(value: Any, key: str) -> Any:
    return value.get(key) if isinstance(value, Mapping) else None


def _join(values: Any, separator: str = "", attribute: str | None = None) -> str:
    if attribute is not None:
        values = [_pick(value, attribute) for value in values]
    return join(values, separator)


def _replace(value: Any, old: Any, new: Any, count: int = -1) -> str:
    return replace(to_text(value), to_text(old), to_text(new), count)


_BACKSTAGE: dict[str, Filter] = {
    "dump": to_json,
    "e": lambda value: html.escape(to_text(value)),
    "escape": lambda value: html.escape(to_text(value)),
    "join": _join,
    "parseEntityRef": _parse_entity_ref,
    "parseRepoUrl": parse_repo_url,
    "pick": _pick,
    "projectSlug": _project_slug,
    "replace": _replace,
    "safe": lambda value: value,
    "string": to_text,
    "tojson": to_json,
}

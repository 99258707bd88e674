"""A template's steps: which they are, what is wrong with them, and where their files may come from."""

import posixpath
import re
from collections.abc import Collection, Mapping
from difflib import get_close_matches
from typing import Any

from roadbed.core.forms import find_schema_problem
from roadbed.core.templating import TemplateEngine, TemplateFailed
from roadbed.goldenpaths.errors import SourceOutside
from roadbed.goldenpaths.rules.parameters import read_pages

MAX_STEPS = 100
MAX_REPEATS = 100
NAMES = ("parameters", "steps", "user", "context", "each")
_SCHEME = re.compile(r"^[A-Za-z][A-Za-z0-9+.-]*:")
_BAD = re.compile(r"[\\\x00]")


def read_steps(spec: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the steps with an id and a name each."""
    return [
        {**step, "id": str(step.get("id") or f"step-{number}"), "name": str(step.get("name") or step["action"])}
        for number, step in enumerate(spec.get("steps") or [], 1)
    ]


def list_problems(spec: Mapping[str, Any], *, actions: Collection[str], engine: TemplateEngine) -> list[str]:
    """Return why a path cannot be started; nothing when it can."""
    problems = []
    steps = read_steps(spec)
    for page in read_pages(spec):
        problem = find_schema_problem(page.schema)
        if problem:
            problems.append(f"The parameters “{page.title}” are no JSON Schema: {problem}")
    if not steps:
        problems.append("It has no steps.")
    if len(steps) > MAX_STEPS:
        problems.append(f"It has {len(steps)} steps; at most {MAX_STEPS} are possible.")
    ids = [step["id"] for step in steps]
    problems += [f"Several steps have the id {id_}." for id_ in sorted({id_ for id_ in ids if ids.count(id_) > 1})]
    for step in steps:
        if step["action"] not in actions:
            near = get_close_matches(step["action"], actions, n=1)
            known = f"Did you mean {near[0]}?" if near else f"It has: {', '.join(sorted(actions))}."
            problems.append(
                f"The step {step['id']} uses the action {step['action']}, which this Roadbed does not have. {known}"
            )
        problems += _syntax_problems(step, engine)
    return problems


def _syntax_problems(step: Mapping[str, Any], engine: TemplateEngine) -> list[str]:
    problems = []
    for text in _texts([step.get("if"), step.get("each"), step.get("input")]):
        try:
            engine.check(text, names=NAMES, source=f"the step {step['id']}")
        except TemplateFailed as error:
            problems.append(error.message)
    return problems


def _texts(value: Any) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, Mapping):
        return [text for item in value.values() for text in _texts(item)]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item)]
    return []


def resolve_folder(base: str, url: str) -> str:
    """Return the folder that a step's `url` names, relative to the root of the source.

    Args:
        base: the template's own folder, relative to the root; empty at the root.
        url: as the template has it: `./skeleton`.

    Raises:
        SourceOutside: it is an address, is absolute, or leads out of the source.
    """
    path = posixpath.normpath(posixpath.join(base, url))
    is_relative = not _SCHEME.match(url) and not url.startswith("/") and not _BAD.search(url)
    if not is_relative or path == ".." or path.startswith("../"):
        raise SourceOutside(
            f"{url!r} is not beside the template, and files are read from the template's own source only.",
            hint="Keep the files in the folder of template.yaml and name them relative to it: ./skeleton.",
        )
    return "" if path == "." else path


def resolve_target(path: str) -> str:
    """Return the folder of the workspace that `targetPath` names.

    Raises:
        SourceOutside: it leads out of the workspace.
    """
    resolved = posixpath.normpath(path or ".")
    parts = resolved.lower().split("/")
    if resolved.startswith("/") or _BAD.search(path) or {"..", ".git"} & set(parts):
        raise SourceOutside(
            f"targetPath {path!r} leads out of the workspace.", hint="Name a folder within it, such as ./service."
        )
    return "" if resolved == "." else resolved

"""Write the reference pages that follow from the code: settings, permissions, errors, commands.

python -m tools.reference           write docs/reference/*.md anew
python -m tools.reference --check   tell which pages are out of date; exit code 1 if any is
"""

import argparse
import importlib
import inspect
import pkgutil
import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from fastapi.routing import iter_route_contexts
from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from typer.main import get_command

import roadbed
from roadbed.app import MODULES
from roadbed.cli.main import app as command_line
from roadbed.cli.output import Exit
from roadbed.core.access import PERMISSIONS, Permission
from roadbed.core.errors import RoadbedError
from roadbed.core.extension import Registry
from roadbed.core.http.problems import status_of
from roadbed.core.routes import API, PAGES
from roadbed.core.settings import CONFIG_FILE, Settings, variable_name

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "docs" / "reference"
NOTE = "<!-- Written by `make docs` from the code; edit the code. -->"

ABOUT_CONFIGURATION = f"""\
Values come from `ROADBED_*` variables, then from `{CONFIG_FILE}` in the current folder, then from the defaults.
`roadbed config show` lists those in force, `roadbed config check` says what is wrong with them."""
ABOUT_PERMISSIONS = """\
A role is a set of permissions, and admins have all. What a built-in role has from the start is said here; roles are
data and can be changed."""
ABOUT_ERRORS = """\
Each error has a code for programs, a message and often a hint for people. Over HTTP it is a problem document (RFC 9457)
with `code`, `detail`, `hint` and `trace_id`."""
ABOUT_COMMANDS = """\
Commands talk to a server over its REST API: `ROADBED_URL` names it and `ROADBED_TOKEN` is your token, unless
`roadbed login` has stored both."""

ROLES = ("viewer", "developer", "platform-engineer")
TYPE_NAMES: dict[Any, str] = {
    bool: "true or false",
    int: "whole number",
    float: "number",
    str: "text",
    Path: "path",
    SecretStr: "text, kept secret",
}
BOUNDS: dict[type, tuple[str, str]] = {
    Ge: ("ge", "at least {}"),
    Gt: ("gt", "more than {}"),
    Le: ("le", "at most {}"),
    Lt: ("lt", "less than {}"),
    MinLen: ("min_length", "at least {} long"),
    MaxLen: ("max_length", "at most {} long"),
}
EXIT_MEANINGS = {
    Exit.OK: "It is done.",
    Exit.FAILED: "It failed; the message says why. `roadbed validate`: there are problems. `roadbed inventory`: "
    "something belongs to nothing.",
    Exit.USAGE: "The command line is wrong.",
    Exit.DENIED: "You are not signed in, or may not do this.",
    Exit.NOT_FOUND: "What was named does not exist.",
    Exit.WAITING: "It waits for somebody, such as for an approval, and goes on by itself afterwards.",
}


def registry() -> Registry:
    """Return what the built-in modules add, without any installed plugin."""
    found = Registry()
    for module in MODULES:
        found.load(module)
    return found


def summary(thing: object) -> str:
    """Return the first paragraph of a docstring on one line; dataclasses' generated ones are none."""
    text = inspect.getdoc(thing) or ""
    return " ".join(text.split("\n\n")[0].split())


# Settings


def configuration_page() -> str:
    lines = ["# Configuration", NOTE, ABOUT_CONFIGURATION, "## General"]
    sections: list[str] = []
    for name, field in Settings.model_fields.items():
        if inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel):
            sections.extend(_describe_section((name,), field.annotation))
        else:
            lines.append(_describe_setting((name,), field))
    return "\n\n".join([*lines, *sections]) + "\n"


def _describe_section(path: tuple[str, ...], section: type[BaseModel]) -> list[str]:
    """Return a section, then those inside it."""
    own, inside = [f"## {summary(section).rstrip('.')}"], []
    for name, field in section.model_fields.items():
        if inspect.isclass(field.annotation) and issubclass(field.annotation, BaseModel):
            inside += _describe_section((*path, name), field.annotation)
        else:
            own.append(_describe_setting((*path, name), field))
    return own + inside


def setting_names() -> list[str]:
    """Return the variable of each setting."""
    return re.findall(r"(?m)^### (ROADBED_\w+)$", configuration_page())


def _describe_setting(path: tuple[str, ...], field: FieldInfo) -> str:
    place = f"`{path[0]}`" if len(path) == 1 else f"`{path[-1]}` in `[{'.'.join(path[:-1])}]`"
    known = [(item, *BOUNDS[type(item)]) for item in field.metadata if type(item) in BOUNDS]
    bounds = [text.format(getattr(item, name)) for item, name, text in known]
    facts = [_type_name(field.annotation), *bounds, f"default: {_default(field)}"]
    return f"### {variable_name(path)}\n\n{field.description}\n\n{place} · {' · '.join(facts)}"


def _type_name(annotation: Any) -> str:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _type_name(arguments[0])
    if origin in (Union, UnionType):
        return " or ".join(_type_name(argument) for argument in arguments if argument is not NoneType)
    if origin is Literal:
        return "one of " + ", ".join(f"`{argument}`" for argument in arguments)
    if origin in (list, tuple, set, frozenset):
        return f"list of {_type_name(arguments[0])}"
    if inspect.isclass(annotation) and issubclass(annotation, Enum):
        return "one of " + ", ".join(f"`{member.value}`" for member in annotation)
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        return "tables of " + " and ".join(f"`{name}`" for name in annotation.model_fields)
    return TYPE_NAMES[annotation]


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "none, it must be set"
    if field.default_factory is not None:
        return "none" if field.default_factory in (list, dict, tuple, set) else "depends on the machine"
    if field.default in (None, [], ()):
        return "not set"
    value = field.default
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


# Permissions


def permissions_page() -> str:
    found = registry()
    lines = ["# Permissions", NOTE, ABOUT_PERMISSIONS]
    for domain, permissions in _by_domain(found.get(PERMISSIONS)):
        lines.append(f"## {domain}")
        for permission in permissions:
            roles = [role for role in ROLES if role in permission.roles]
            lines.append(
                f"### {permission.name}\n\n{permission.title}. From the start: {', '.join([*roles, 'admin'])}."
            )
    lines += ["## Open to everyone", "These addresses ask for no permission, each for the reason given."]
    lines.append("\n".join(f"- `{method} {path}`: {reason}" for method, path, reason in open_routes(found)))
    return "\n\n".join(lines) + "\n"


def _by_domain(permissions: tuple[Permission, ...]) -> Iterator[tuple[str, list[Permission]]]:
    domains = dict.fromkeys(permission.name.split(".")[0] for permission in permissions)
    for domain in domains:
        yield domain, [permission for permission in permissions if permission.name.split(".")[0] == domain]


@dataclass(frozen=True)
class Route:
    """An address with the functions that FastAPI calls before its handler."""

    method: str
    path: str
    handler: str
    dependencies: tuple[Callable[..., Any], ...]


def routes(found: Registry) -> Iterator[Route]:
    """Yield each route of the modules with its full path."""
    for slot, prefix in ((API, "/api/v1"), (PAGES, "")):
        for context in iter_route_contexts([route for router in found.get(slot) for route in router.routes]):
            handler = getattr(context.endpoint, "__qualname__", repr(context.endpoint))
            calls = tuple(dependency.call for dependency in context.dependant.dependencies)
            for method in sorted(context.methods or {"WEBSOCKET"}):
                yield Route(method, f"{prefix}{context.path}", handler, calls)


def open_routes(found: Registry) -> list[tuple[str, str, str]]:
    """Return (method, path, reason) of each route that is open to everyone."""
    return sorted(
        (route.method, route.path, (call.__doc__ or "").rstrip("."))
        for route in routes(found)
        for call in route.dependencies
        if call.__qualname__.startswith("anonymous.")
    )


# Errors


def errors_page() -> str:
    lines = ["# Errors", NOTE, ABOUT_ERRORS]
    codes: dict[str, list[type[RoadbedError]]] = {}
    for error in sorted(error_classes(), key=lambda error: (error.code, error.__module__)):
        codes.setdefault(error.code, []).append(error)
    for code, classes in codes.items():
        error = classes[0]
        text = next((own for own in map(_own_summary, classes) if own), f"{_words(error.__name__)}.")
        lines.append(f"## {code}\n\n{text} HTTP {status_of(error.__new__(error))}.")
    return "\n\n".join(lines) + "\n"


def error_classes() -> Iterator[type[RoadbedError]]:
    """Yield every error that Roadbed defines with a code of its own, wherever in the package it stands."""
    for module in pkgutil.walk_packages(roadbed.__path__, "roadbed."):
        if not module.name.startswith("roadbed.migrations") and not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    yield from _with_subclasses(RoadbedError)


def _with_subclasses(base: type[RoadbedError]) -> Iterator[type[RoadbedError]]:
    if "code" in vars(base) and base.__module__.startswith("roadbed."):
        yield base
    for inner in base.__subclasses__():
        yield from _with_subclasses(inner)


def _own_summary(error: type[RoadbedError]) -> str:
    return summary(error) if error.__doc__ else ""


def _words(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name).capitalize()


# Commands


def cli_page() -> str:
    lines = [
        *("# Command line", NOTE, ABOUT_COMMANDS, "## Exit codes"),
        "\n".join(f"- `{code.value}` {EXIT_MEANINGS[code]}" for code in Exit),
        "## Commands",
    ]
    lines += [_describe_command(name, command) for name, command in commands()]
    lines += ["## Make targets", "For whoever works on Roadbed itself, in a checkout."]
    lines += [f"### make {target}\n\n{text[0].upper()}{text[1:]}." for target, text in make_targets()]
    return "\n\n".join(lines) + "\n"


def commands() -> list[tuple[str, Any]]:
    """Return every command that does something, by its full name."""

    def walk(name: str, command: Any) -> Iterator[tuple[str, Any]]:
        if not hasattr(command, "list_commands"):
            yield name, command
            return
        for part in command.list_commands(None):
            child = command.get_command(None, part)
            if not child.hidden:
                yield from walk(f"{name} {part}", child)

    return list(walk("roadbed", get_command(command_line)))


def _describe_command(name: str, command: Any) -> str:
    shells_own = ("help", "install_completion", "show_completion")
    parameters = [parameter for parameter in command.params if parameter.name not in shells_own]
    arguments = [item for item in parameters if item.param_type_name == "argument"]
    usage = [name, *(_argument(item) if item.required else f"[{_argument(item)}]" for item in arguments)]
    options = [item for item in parameters if item.param_type_name == "option" and not item.hidden]
    text = inspect.cleandoc(command.help or "")
    blocks = [f"### {name}", f"`{' '.join([*usage, *(['[OPTIONS]'] if options else [])])}`", text]
    if options:
        blocks.append("\n".join(map(_describe_option, options)))
    return "\n\n".join(block for block in blocks if block)


def _argument(argument: Any) -> str:
    name: str = argument.metavar or argument.name.upper()
    return f"{name}…" if argument.nargs == -1 and not name.endswith("…") else name


def _describe_option(option: Any) -> str:
    names = ", ".join(f"`{name}`" for name in [*option.opts, *option.secondary_opts])
    variables = option.envvar if isinstance(option.envvar, list) else [option.envvar] if option.envvar else []
    facts = [*(f"`{variable}`" for variable in variables), *(["required"] if option.required else [])]
    text = " ".join((option.help or "").split())
    return f"- {names}{' (' + ', '.join(facts) + ')' if facts else ''} {text}".rstrip()


def make_targets() -> list[tuple[str, str]]:
    """Return (target, what it does) of the Makefile."""
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    return re.findall(r"(?m)^([a-z]+):.*## (.+)$", text)


PAGES_WRITTEN: dict[str, Callable[[], str]] = {
    "configuration.md": configuration_page,
    "permissions.md": permissions_page,
    "errors.md": errors_page,
    "cli.md": cli_page,
}


def outdated() -> list[str]:
    """Return the pages that differ from what the code says."""
    return [
        name
        for name, write in PAGES_WRITTEN.items()
        if not (FOLDER / name).is_file() or (FOLDER / name).read_text(encoding="utf-8") != write()
    ]


def main() -> int:
    parser = argparse.ArgumentParser(description="Write the reference pages from the code.")
    parser.add_argument("--check", action="store_true", help="only tell which pages are out of date")
    arguments = parser.parse_args()
    names = outdated()
    for name in names:
        if arguments.check:
            print(f"docs/reference/{name} is out of date: run make docs")
        else:
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / name).write_text(PAGES_WRITTEN[name](), encoding="utf-8")
            print(f"docs/reference/{name} written")
    return 1 if arguments.check and names else 0


if __name__ == "__main__":
    sys.exit(main())

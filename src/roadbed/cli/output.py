"""How the command line speaks: tables for people, JSON, YAML and CSV for scripts, errors with their exit code."""

import json
import sys
from collections.abc import Callable, Sequence
from enum import IntEnum, StrEnum
from functools import partial
from typing import Any

from rich.console import Console
from rich.table import Table

from roadbed.kit.csvs import write_csv
from roadbed.kit.yamls import write_yaml


class Exit(IntEnum):
    """Exit codes, as docs/reference/cli.md lists them."""

    OK = 0
    FAILED = 1
    USAGE = 2
    DENIED = 3
    NOT_FOUND = 4
    WAITING = 5


class Format(StrEnum):
    TABLE = "table"
    JSON = "json"
    YAML = "yaml"
    NAME = "name"
    CSV = "csv"
    NDJSON = "ndjson"


_WIDE = 400  # where nobody looks, lines are not wrapped: scripts and files take them whole

console = Console(highlight=False, soft_wrap=True, width=None if sys.stdout.isatty() else _WIDE)
errors = Console(stderr=True, highlight=False, soft_wrap=True, width=None if sys.stderr.isatty() else _WIDE)


def show(data: Any, output: Format, *, columns: Sequence[tuple[str, str]], name: str = "id") -> None:
    """Print `data`, one object or a list of them.

    Args:
        data: JSON as the API gave it.
        output: how.
        columns: `(heading, dotted path)` of a table.
        name: the field that `-o name` prints.
    """
    if output is Format.JSON:
        print_plain(json.dumps(data, indent=2, ensure_ascii=False))
        return
    if output is Format.YAML:
        print_plain(write_yaml(data).rstrip())
        return
    items = data if isinstance(data, list) else [data]
    if output in (Format.NAME, Format.CSV, Format.NDJSON):
        _print_lines(items, output, columns=columns, name=name)
        return
    if not items:
        errors.print("Nothing found.")
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading, path in columns:
        table.add_column(heading, overflow="fold", no_wrap=path == name)
    for item in items:
        table.add_row(*(read_path(item, path) for _, path in columns))
    console.print(table)


def _print_lines(items: Sequence[Any], output: Format, *, columns: Sequence[tuple[str, str]], name: str) -> None:
    """Print one line an item; a CSV has the columns of the table, or without any the item's name."""
    if output is Format.CSV:
        paths = [path for _, path in columns] or [name]
        cells = [[_find(item, path) for path in paths] for item in items]
        sys.stdout.write(write_csv([paths, *(["" if cell is None else str(cell) for cell in row] for row in cells)]))
        return
    for item in items:
        print_plain(read_path(item, name) if output is Format.NAME else json.dumps(item, ensure_ascii=False))


def say(sentence: str, data: Any, output: Format, *, name: str = "id") -> None:
    """Tell a person in a sentence, and a script as `data`, what was done."""
    if output is Format.TABLE:
        console.print(sentence, markup=False)
    else:
        show(data, output, columns=[], name=name)


def read_path(item: Any, path: str) -> str:
    """Return the value at a dotted path as text; "–" when there is none."""
    found = _find(item, path)
    return "–" if found is None else str(found)


def _find(item: Any, path: str) -> Any:
    for part in path.split("."):
        item = item.get(part) if isinstance(item, dict) else None
    return item


def print_plain(text: str, *, is_flushed: bool = False) -> None:
    """Print `text` as it is: no colours, no wrapping, no markup. A reader who waits for it gets it at once."""
    sys.stdout.write(text + "\n")
    if is_flushed:
        sys.stdout.flush()


def progress_to(output: Format) -> Callable[[str], None]:
    """Return what tells progress at once: people on standard output, which scripts get free of it."""
    return partial(print_plain, is_flushed=True) if output is Format.TABLE else partial(errors.print, markup=False)


def fail(message: str, *, hint: str | None = None, problems: Sequence[Any] = ()) -> None:
    """Say what went wrong on standard error."""
    errors.print(f"[bold red]Error:[/] {_escape(message)}")
    for problem in problems:
        text = problem if isinstance(problem, str) else f"{problem.get('path', '')}: {problem.get('reason', problem)}"
        errors.print(f"  {_escape(text)}")
    if hint:
        errors.print(f"[dim]{_escape(hint)}[/]")


def _escape(text: str) -> str:
    return text.replace("[", r"\[")

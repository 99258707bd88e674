"""`roadbed locations`: where the catalog is read from, and how that is looked after."""

from typing import Annotated, Any

import typer

from roadbed.cli.output import Exit, Format, print_plain, progress_to, say, show
from roadbed.cli.runs import follow_run
from roadbed.cli.session import Output, Url, connect, id_argument

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Say where the catalog is read from.")

COLUMNS = [("Id", "id"), ("Type", "type"), ("Target", "target"), ("State", "state"), ("Read", "read_at")]
FOUND = [("Entity", "ref"), ("Title", "title"), ("Owner", "owner"), ("File", "file")]
SETTINGS = [
    ("Id", "id"),
    ("Kinds", "allowed_kinds"),
    ("Seconds between looks", "interval_seconds"),
    ("Orphans deleted after hours", "remove_orphans_after_hours"),
    ("Removed after looks", "remove_after_missing"),
    ("Defines kinds", "may_define_kinds"),
]
DEFAULT = "default"

Allow = Annotated[list[str] | None, typer.Option("--allow", help="A kind that entities from it may have; repeatable.")]
Every = Annotated[str | None, typer.Option("--every", help="Seconds between two looks at its source.")]
Orphans = Annotated[
    str | None, typer.Option("--remove-orphans-after", help="Hours until entities that it no longer has are deleted.")
]
Missing = Annotated[
    str | None, typer.Option("--remove-after-missing", help="Looks without its files until it is removed.")
]
Source = Annotated[
    list[str] | None,
    typer.Option("--source", help="KEY=VALUE that its type asks for; repeatable. A comma makes a list: `a,` or `a,b`."),
]


@app.command("list")
def list_locations(output: Output = Format.TABLE, url: Url = None) -> None:
    """List locations.

    Example: roadbed locations list
    """
    with connect(url) as client:
        show(list(client.pages("/locations", limit=1000)), output, columns=COLUMNS)


@app.command()
def add(
    target: Annotated[str, typer.Argument(help="A path on the server, or an address.")],
    location_type: Annotated[str, typer.Option("--type", help="`file`, `git`, `url` or `github`.")] = "file",
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is read.")] = False,
    allow: Allow = None,
    every: Every = None,
    remove_orphans_after: Orphans = None,
    remove_after_missing: Missing = None,
    source: Source = None,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Read a location into the catalog, now and from now on.

    Example: roadbed locations add --wait examples/northmoor/all.yaml
    """
    options = read_options(allow, every, remove_orphans_after, remove_after_missing, source)
    with connect(url) as client:
        started = client.post("/locations", {"type": location_type, "target": target, **options})
        if wait:
            run = follow_run(client, started["run_id"])
            raise typer.Exit(Exit.OK if run["state"] == "succeeded" else Exit.FAILED)
        show(started, output, columns=[("Run", "run_id")], name="run_id")


@app.command()
def look(
    target: Annotated[str, typer.Argument(help="A path on the server, or an address.")],
    location_type: Annotated[str, typer.Option("--type", help="`git`, `url` or `file`.")] = "git",
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Say what a location would bring, and what is wrong with it; where there is no catalog file, print one.

    Example: roadbed locations look https://git.example.com/shop/orders.git > catalog-info.yaml
    """
    with connect(url) as client:
        started = client.post("/locations/looks", {"type": location_type, "target": target})
        follow_run(client, started["run_id"], tell=progress_to(Format.JSON), has_log=False)
        found = client.get(f"/locations/looks/{started['run_id']}")
    if output is not Format.TABLE:
        show(found, output, columns=[], name="target")
    elif found["generated"]:
        print_plain(found["generated"]["text"].rstrip("\n"))
    else:
        for problem in found["problems"]:
            print_plain(f"{problem['file']}:{problem['line']}: {problem['severity']}: {problem['reason']}")
        entities = [{**entity, "file": file["path"]} for file in found["files"] for entity in file["entities"]]
        show(entities, output, columns=FOUND, name="ref")
    is_sound = found["state"] == "succeeded" and not found["counts"].get("errors")
    raise typer.Exit(Exit.OK if is_sound else Exit.FAILED)


@app.command("set")
def change(
    location_id: Annotated[str, id_argument("location", listed_by="roadbed locations list")],
    allow: Allow = None,
    every: Every = None,
    remove_orphans_after: Orphans = None,
    remove_after_missing: Missing = None,
    source: Source = None,
    define_kinds: Annotated[
        bool | None, typer.Option("--define-kinds/--no-define-kinds", help="Whether its entities may define kinds.")
    ] = None,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Change how a location is looked after; `default` takes a setting back.

    Example: roadbed locations set 01a20a58-9ccd-734d-b6d3-08a868fee990 --allow Component --allow API --every 600
    """
    changes = read_options(allow, every, remove_orphans_after, remove_after_missing, source)
    if define_kinds is not None:
        changes["may_define_kinds"] = define_kinds
    if not changes:
        raise typer.BadParameter("Nothing is to be changed. Give at least one option.")
    with connect(url) as client:
        if "source" in changes:
            known = client.get(f"/locations/{location_id}")["source"]
            changes["source"] = {key: value for key, value in {**known, **changes["source"]}.items() if value != ""}
        show(client.request("PATCH", f"/locations/{location_id}", body=changes), output, columns=SETTINGS)


@app.command()
def remove(
    location_id: Annotated[str, id_argument("location", listed_by="roadbed locations list")],
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Stop reading a location, and remove what was read from it.

    Example: roadbed locations remove 01a20a58-9ccd-734d-b6d3-08a868fee990
    """
    with connect(url) as client:
        client.delete(f"/locations/{location_id}")
    say("The location is removed.", {"id": location_id, "state": "removed"}, output)


def read_options(
    allow: list[str] | None, every: str | None, orphans: str | None, missing: str | None, source: list[str] | None
) -> dict[str, Any]:
    """Return the options that were given, as the API takes them."""
    numbers = {
        "interval_seconds": ("--every", every),
        "remove_orphans_after_hours": ("--remove-orphans-after", orphans),
        "remove_after_missing": ("--remove-after-missing", missing),
    }
    options: dict[str, Any] = {
        name: _read_number(option, text) for name, (option, text) in numbers.items() if text is not None
    }
    if allow:
        options["allowed_kinds"] = None if allow == [DEFAULT] else allow
    if source:
        options["source"] = dict(_read_pair(pair) for pair in source)
    return options


def _read_number(option: str, text: str) -> int | None:
    if text == DEFAULT:
        return None
    if not text.isdecimal():
        raise typer.BadParameter(f"{text!r} is neither a number nor `{DEFAULT}`.", param_hint=option)
    return int(text)


def _read_pair(pair: str) -> tuple[str, Any]:
    key, equals, value = pair.partition("=")
    if not equals:
        raise typer.BadParameter(f"{pair!r} is not KEY=VALUE.", param_hint="--source")
    if value in ("true", "false"):
        return key, value == "true"
    return key, [part for part in value.split(",") if part] if "," in value else value

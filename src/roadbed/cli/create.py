"""`roadbed create`: walk a golden path."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any

import typer

from roadbed.cli.output import Exit, Format, progress_to, show
from roadbed.cli.runs import follow_run
from roadbed.cli.session import Output, Url, connect

app = typer.Typer(add_completion=False)

PATH_COLUMNS = [("Path", "name"), ("Title", "title"), ("Version", "version"), ("Support", "support_level")]
MADE_COLUMNS = [("Made", "title"), ("At", "url")]


@app.command()
def create(
    path: Annotated[str | None, typer.Argument(help="A golden path; without one they are listed.")] = None,
    values: Annotated[
        list[str] | None, typer.Option("--set", help="An answer, `name=refunds`; may be repeated.", metavar="KEY=VALUE")
    ] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is created and healthy.")] = False,
    key: Annotated[str, typer.Option(help="Start it once only: the same key gives the same run.")] = "",
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Create a service from a golden path. Answers of a list are repeated; others are text, number or true and false.

    Example: roadbed create python-fastapi --set name=refunds --set owner=group:default/team-checkout --wait
    """
    with connect(url) as client:
        if path is None:
            show(client.get("/paths")["items"], output, columns=PATH_COLUMNS, name="name")
            return
        address = f"/paths/{read_name(path)}"
        pages = client.get(address)["parameters"]
        body = {"values": read_values(pages, values or [])}
        started = client.post(f"{address}/runs", body, key=key)
        result = {**started, "url": f"{client.url}{started['href']}"}
        if not wait:
            show(result, output, columns=[("Run", "title"), ("State", "state"), ("At", "url")], name="run_id")
            return
        tell = progress_to(output)
        tell(f"{started['title']}: {result['url']}")
        run = follow_run(client, started["run_id"], tell=tell, has_log=False)
        made = [{**link, "url": _address(client.url, link["href"])} for link in run["links"]]
        result |= {"state": run["state"], "error": run["error"], "links": made}
    if output is not Format.TABLE:
        show(result, output, columns=[], name="run_id")
    elif made:
        show(made, output, columns=MADE_COLUMNS)
    raise typer.Exit(Exit.OK if run["state"] == "succeeded" else Exit.FAILED)


def read_name(path: str) -> str:
    """Return `namespace/name` for a path as people write it: `python-fastapi`, `template:default/python-fastapi`."""
    name = path.removeprefix("template:")
    return name if "/" in name else f"default/{name}"


def read_values(pages: Sequence[Mapping[str, Any]], given: Sequence[str]) -> dict[str, Any]:
    """Return typed values for `KEY=VALUE` texts, with the types that the questions declare.

    Raises:
        typer.BadParameter: a text has no `=`, or names a single value twice.
    """
    values: dict[str, Any] = {}
    for text in given:
        name, sign, value = text.partition("=")
        if not sign or not name:
            raise typer.BadParameter(f"{text!r} is not KEY=VALUE.", param_hint="--set")
        parts = name.split(".")
        inside = _find_group(values, parts)
        declared = _find_declared(pages, parts)
        if declared.get("type") == "array":
            inside.setdefault(parts[-1], []).extend(_read_items(declared, value))
        elif parts[-1] in inside:
            raise typer.BadParameter(f"{name} is given twice, and takes one value.", param_hint="--set")
        else:
            inside[parts[-1]] = _read_value(declared, value)
    return values


def _find_group(values: dict[str, Any], parts: Sequence[str]) -> dict[str, Any]:
    """Return the mapping that the last part of a dotted name belongs into, made where it is missing."""
    for part in parts[:-1]:
        values = values.setdefault(part, {})
        if not isinstance(values, dict):
            raise typer.BadParameter(f"{part} is given as a value and as a group.", param_hint="--set")
    return values


def _find_declared(schemas: Sequence[Any], parts: Sequence[str]) -> Mapping[str, Any]:
    """Return what declares a question, wherever its condition stands."""
    found = [part["properties"][parts[0]] for part in _walk(schemas) if parts[0] in part.get("properties", {})]
    if len(parts) > 1:
        return _find_declared(found, parts[1:])
    return next((declared for declared in found if "type" in declared), {})


def _walk(schemas: Sequence[Any]) -> Iterator[Mapping[str, Any]]:
    for schema in schemas:
        if isinstance(schema, Mapping):
            yield schema
            inner = [schema.get("then"), schema.get("else")]
            for word in ("allOf", "anyOf", "oneOf"):
                inner += schema.get(word) or []
            for word in ("dependencies", "dependentSchemas"):
                inner += (schema.get(word) or {}).values()
            yield from _walk(inner)


def _read_items(declared: Mapping[str, Any], text: str) -> list[Any]:
    if text.startswith("["):
        items = _read_json(text)
        return items if isinstance(items, list) else [text]
    return [_read_value(declared.get("items") or {}, text)]


def _read_value(declared: Mapping[str, Any], text: str) -> Any:
    """Return a text as its type; what is no value of that type stays a text, and the server says what is wrong."""
    kind = declared.get("type")
    if kind in ("boolean", "integer", "number", "object"):
        value = _read_json(text)
        return text if value is None else value
    return text


def _read_json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _address(base: str, href: str) -> str:
    return f"{base}{href}" if href.startswith("/") else href

"""`roadbed set`: the owner or the lifecycle of many entities at once."""

from typing import Annotated, Any

import typer

from roadbed.cli.output import Exit, Format, print_plain, progress_to, say, show
from roadbed.cli.runs import follow_run
from roadbed.cli.session import Output, Url, connect
from roadbed.kit.text import plural

app = typer.Typer(add_completion=False, no_args_is_help=True, help="Set the owner or lifecycle of entities.")

Refs = Annotated[list[str] | None, typer.Argument(metavar="KIND:[NAMESPACE/]NAME", help="The entities.")]
Where = Annotated[
    list[str] | None,
    typer.Option("--where", help="FIELD=VALUE instead of refs: kind, namespace, owner, type, lifecycle, system, tag."),
]
Words = Annotated[str, typer.Option("--query", "-q", help="Words in name, title, description or tags.")]
Message = Annotated[str, typer.Option("--message", "-m", help="For the change requests, in Markdown.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would be done to which entity.")]
Wait = Annotated[bool, typer.Option("--wait", help="Wait until it is done.")]
_FIELDS = ("kind", "namespace", "owner", "type", "lifecycle", "system", "tag")
_FLAGS = ("unowned", "orphan", "stale", "inherited")


@app.command()
def owner(
    new: Annotated[str, typer.Argument(metavar="OWNER", help="A group, or a user as user:name.")],
    entities: Refs = None,
    where: Where = None,
    query: Words = "",
    message: Message = "",
    dry_run: DryRun = False,
    wait: Wait = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Give entities another owner: at once, or by one change request in each repository that holds them.

    Example: roadbed set owner team-checkout component:default/orders component:default/cart
    Example: roadbed set owner team-checkout --where owner=team-old --dry-run
    """
    body = {"field": "owner", "value": new, "message": message, **_select(entities, where, query)}
    _change(body, output, url, is_dry=dry_run, is_awaited=wait)


@app.command()
def lifecycle(
    new: Annotated[str, typer.Argument(metavar="LIFECYCLE", help="Such as deprecated.")],
    entities: Refs = None,
    where: Where = None,
    query: Words = "",
    message: Message = "",
    dry_run: DryRun = False,
    wait: Wait = False,
    output: Output = Format.TABLE,
    url: Url = None,
) -> None:
    """Give entities another lifecycle: at once, or by one change request in each repository that holds them.

    Example: roadbed set lifecycle deprecated --where kind=component --where system=shop --wait
    """
    body = {"field": "lifecycle", "value": new, "message": message, **_select(entities, where, query)}
    _change(body, output, url, is_dry=dry_run, is_awaited=wait)


def _select(refs: list[str] | None, where: list[str] | None, query: str) -> dict[str, Any]:
    if bool(refs) == bool(where or query):
        raise typer.BadParameter("Name entities, or say with --where or --query which ones.")
    if refs:
        return {"refs": refs}
    criteria: dict[str, Any] = {"q": query}
    for pair in where or ():
        name, equals, value = pair.partition("=")
        if name in _FIELDS and equals and value:
            criteria.setdefault(name, []).append(value)
        elif name in _FLAGS and (not equals or value == "true"):
            criteria[name] = True
        else:
            known = ", ".join((*_FIELDS, *_FLAGS))
            raise typer.BadParameter(f"{pair!r} is no FIELD=VALUE; fields are {known}.", param_hint="--where")
    return {"where": criteria}


def _change(body: dict[str, Any], output: Format, url: str | None, *, is_dry: bool, is_awaited: bool) -> None:
    with connect(url) as client:
        plan = client.post("/entities/bulk/check" if is_dry else "/entities/bulk", body)
        if is_dry and output is not Format.TABLE:
            show(plan, output, columns=[], name="count")
        elif is_dry:
            _print_plan(plan)
        elif is_awaited:
            run = follow_run(client, plan["run_id"], tell=progress_to(output))
            raise typer.Exit(Exit.OK if run["state"] == "succeeded" else Exit.FAILED)
        else:
            entities = plural(plan["count"], "entity", "entities")
            sentence = f"Run {plan['run_id']} changes {entities}: `roadbed runs follow` tells how."
            say(sentence, plan, output, name="run_id")


def _print_plan(plan: dict[str, Any]) -> None:
    for ref in plan["kept"]:
        print_plain(f"{ref}: at once")
    for part in plan["repositories"]:
        for entity in part["entities"]:
            print_plain(f"{entity['ref']}: change request in {part['repository']}, {entity['file']}")
    for refusal in plan["refused"]:
        print_plain(f"{refusal['ref']}: not changed. {refusal['reason']}")
    for ref in plan["unchanged"]:
        print_plain(f"{ref}: has it already")
    print_plain(f"{plural(plan['count'], 'entity', 'entities')} would be changed.")

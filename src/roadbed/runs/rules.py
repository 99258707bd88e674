"""Pure decisions about runs."""

from dataclasses import asdict, fields
from typing import Any

from roadbed.core.actor import Actor, ActorKind
from roadbed.core.errors import RoadbedError

RUN_NOUNS = {
    "pending": ("todo", "Waiting to start"),
    "running": ("run", "Running"),
    "waiting": ("wait", "Waiting"),
    "undoing": ("run", "Undoing"),
    "succeeded": ("ok", "Done"),
    "failed": ("bad", "Failed"),
    "cancelled": ("off", "Cancelled"),
    "skipped": ("off", "Skipped"),
    "undone": ("off", "Undone"),
}


def state_words(state: str) -> tuple[str, str]:
    """Return the kind and the word with which pages show a state of a run or step."""
    return RUN_NOUNS[state]


def freeze_actor(actor: Actor) -> dict[str, Any]:
    """Return `actor` as JSON; steps act as who started the run, with the rights of that moment."""
    values = {name: sorted(value) if isinstance(value, frozenset) else value for name, value in asdict(actor).items()}
    return values | {"credential": None}


def thaw_actor(values: dict[str, Any]) -> Actor:
    """Return the actor that `freeze_actor` was given, without its credential."""
    known = {field.name for field in fields(Actor)}
    thawed: dict[str, Any] = {
        name: frozenset(value) if isinstance(value, list) else value for name, value in values.items() if name in known
    }
    return Actor(**thawed | {"kind": ActorKind(values["kind"])})


def error_record(error: RoadbedError) -> dict[str, Any]:
    """Return what a run keeps of an error: code, words, next step."""
    return {"code": error.code, "message": error.message, "hint": error.hint}


def clean_text(text: str) -> str:
    """Return `text` as PostgreSQL can store it: without NUL and lone surrogates."""
    return text.replace("\x00", "�").encode("utf-8", "replace").decode()

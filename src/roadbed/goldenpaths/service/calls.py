"""From a template's step to calls of its action: condition, repetition, input; rendered when its turn comes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from roadbed.core.extension import Registry
from roadbed.core.services import Services
from roadbed.core.templating import MISSING, TemplateEngine, TemplateFailed
from roadbed.goldenpaths.errors import InputInvalid
from roadbed.goldenpaths.rules.plans import MAX_REPEATS
from roadbed.goldenpaths.types import ACTIONS, Action

ENGINE = TemplateEngine()


@dataclass(frozen=True)
class StepCalls:
    """The inputs of a step's calls; `is_repeated` when it has an `each`."""

    inputs: tuple[dict[str, Any], ...]
    is_repeated: bool = False


def list_actions(services: Services) -> dict[str, Action]:
    """Return the actions that templates may use, by name."""
    return {action.name: action for action in services.get(Registry).get(ACTIONS)}


def make_context(run_inputs: Mapping[str, Any], outputs: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """Return what a template's expressions see.

    Args:
        run_inputs: as the run keeps them.
        outputs: of the finished steps, by id.
    """
    return {
        "parameters": run_inputs["values"],
        "steps": {key: {"output": output} for key, output in outputs.items()},
        "user": run_inputs["user"],
        "context": {"task": {"id": run_inputs.get("run_id", "")}},
    }


def plan_calls(step: Mapping[str, Any], context: Mapping[str, Any]) -> StepCalls | None:
    """Render a step's condition and inputs; None when the condition is not met. This takes the processor.

    Raises:
        TemplateFailed: an expression cannot be rendered.
    """
    place = f"the step {step['id']}"
    if not is_met(step, context, place=place):
        return None
    given = step.get("input") or {}
    if "each" not in step:
        return StepCalls((ENGINE.render_value(given, context, source=place),))
    items = _items(ENGINE.render_value(step["each"], context, source=f"{place}: each"), place)
    inputs = [ENGINE.render_value(given, {**context, "each": item}, source=place) for item in items]
    return StepCalls(tuple(inputs), is_repeated=True)


def is_met(item: Mapping[str, Any], context: Mapping[str, Any], *, place: str) -> bool:
    """Tell whether the `if` of a step, link or text holds; without one it does."""
    return "if" not in item or _is_true(ENGINE.render_value(item["if"], context, source=f"{place}: if"))


def check_input(action: Action, given: Mapping[str, Any]) -> None:
    """Check an input against the action's schema.

    Raises:
        InputInvalid: with each fault.
    """
    faults = [
        f"{'.'.join(str(part) for part in error.instance_path) or 'input'}: {error.message}"
        for error in jsonschema_rs.Draft7Validator(dict(action.input)).iter_errors(dict(given))
    ]
    if faults:
        raise InputInvalid(
            f"The action {action.name} cannot take this input. {faults[0]}",
            hint="Correct the step's input in the template.",
            problems=faults,
        )


def _is_true(value: Any) -> bool:
    if isinstance(value, str):
        return value.strip().lower() not in ("", "false")
    return value is not MISSING and bool(value)


def _items(value: Any, place: str) -> list[dict[str, Any]]:
    if value is MISSING or value is None:
        return []
    if isinstance(value, Mapping):
        items = [{"key": key, "value": item} for key, item in value.items()]
    elif isinstance(value, list):
        items = [{"key": number, "value": item} for number, item in enumerate(value)]
    else:
        raise TemplateFailed(f"{place}: each needs a list or a mapping, not {value!r}.", file=place)
    if len(items) > MAX_REPEATS:
        raise TemplateFailed(
            f"{place}: each has {len(items)} items; at most {MAX_REPEATS} are possible.",
            hint="Let one call do the work of several items.",
            file=place,
        )
    return items

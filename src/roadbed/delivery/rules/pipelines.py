"""Pipelines as they are declared, and as they are in force for a repository."""

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from typing import Any

from roadbed.core.errors import RoadbedError
from roadbed.core.expressions import BOOL, STRING, Expression
from roadbed.delivery.errors import PipelineInvalid
from roadbed.delivery.types import CHECKOUT, Pipeline, ReportKind, ReportPlan, Stage, StageStep

BUILT_IN_STEPS = ("artifact", "deploy")
INPUTS = {"branch": STRING, "isDefaultBranch": BOOL, "repository": STRING, "commit": STRING}
"""What the conditions of stages and steps may use."""


def read_pipeline(ref: str, spec: Mapping[str, Any]) -> Pipeline:
    """Return a pipeline from the spec of its entity, which the catalog has validated.

    Raises:
        PipelineInvalid: it names a step that Roadbed does not have, or an order that cannot be.
    """
    stages = tuple(_read_stage(ref, stage) for stage in spec["stages"])
    names = [stage.id for stage in stages]
    doubled = sorted({name for name in names if names.count(name) > 1})
    if doubled or CHECKOUT in names:
        raise PipelineInvalid(
            f"{ref} has more than one stage {doubled[0]!r}."
            if doubled
            else f"{ref} has a stage {CHECKOUT!r}, which is the name of the first step of every run.",
            hint="Give each stage an id of its own.",
        )
    return Pipeline(
        ref, str(spec["version"]), stages, tuple(spec.get("triggers") or ("push",)), tuple(spec.get("branches") or ())
    )


def _read_stage(ref: str, stage: Mapping[str, Any]) -> Stage:
    _check_deploy(ref, stage)
    return Stage(
        id=stage["id"],
        title=stage.get("name") or stage["id"].replace("-", " ").capitalize(),
        steps=tuple(_read_step(ref, step) for step in stage["steps"]),
        is_required=bool(stage.get("required")),
        needs=tuple(stage.get("needs") or ()),
        when=_check_condition(ref, stage.get("when")),
        timeout_seconds=stage.get("timeoutSeconds"),
    )


def _check_deploy(ref: str, stage: Mapping[str, Any]) -> None:
    """Refuse a stage that does something beside deploying: after its wait it would do that again."""
    deploys = [step for step in stage["steps"] if step.get("uses") == "deploy"]
    if not deploys:
        return
    if len(stage["steps"]) > 1:
        raise PipelineInvalid(
            f"{ref}: the stage {stage['id']!r} deploys and does something else.",
            hint="Give each deployment a stage of its own.",
        )
    if not isinstance((deploys[0].get("with") or {}).get("environment"), str):
        raise PipelineInvalid(
            f"{ref}: the stage {stage['id']!r} does not say where it deploys to.",
            hint="Write `with: {environment: development}`.",
        )


def _read_step(ref: str, step: Mapping[str, Any]) -> StageStep:
    uses = step.get("uses")
    if uses is not None and uses not in BUILT_IN_STEPS:
        raise PipelineInvalid(
            f"{ref} uses the step {uses!r}, which Roadbed does not have.",
            hint=f"Use one of: {', '.join(BUILT_IN_STEPS)}.",
        )
    return StageStep(
        name=step.get("name") or (f"make {step['make']}" if step.get("make") else str(uses)),
        make=step.get("make"),
        uses=uses,
        arguments=dict(step.get("with") or {}),
        reports=tuple(ReportPlan(ReportKind(one["type"]), one["path"]) for one in step.get("reports") or ()),
        when=_check_condition(ref, step.get("when")),
        timeout_seconds=step.get("timeoutSeconds"),
        may_fail=bool(step.get("allowFailure")),
    )


def _check_condition(ref: str, source: str | None) -> str | None:
    if source is None:
        return None
    try:
        Expression.compile(source, inputs=INPUTS, result=BOOL)
    except RoadbedError as error:
        raise PipelineInvalid(
            f"{ref}: the condition {source!r} cannot be used: {error.message}", hint=error.hint
        ) from error
    return source


def holds(condition: str | None, values: Mapping[str, Any]) -> bool:
    """Tell whether a condition holds; without one it always does."""
    return condition is None or bool(Expression.compile(condition, inputs=INPUTS, result=BOOL).evaluate(values))


def extend(base: Pipeline, own: Pipeline) -> Pipeline:
    """Return `own` on top of `base`: stages are added, and replaced where `base` does not require them.

    Raises:
        PipelineInvalid: a stage needs one that does not exist.
    """
    stages = list(base.stages)
    for stage in own.stages:
        names = [one.id for one in stages]
        if stage.id not in names:
            stages.insert(_place_of(own, stage, names), stage)
        elif not stages[names.index(stage.id)].is_required:
            stages[names.index(stage.id)] = stage
    return Pipeline(
        own.ref, f"{own.version}+{base.version}", tuple(stages), own.triggers, own.branches or base.branches
    )


def _place_of(own: Pipeline, stage: Stage, names: Sequence[str]) -> int:
    """Return where an added stage belongs: after those it needs, else at the end."""
    missing = [name for name in stage.needs if name not in names]
    if missing:
        raise PipelineInvalid(
            f"{own.ref}: the stage {stage.id!r} needs {missing[0]!r}, which is not before it.",
            hint=f"The stages before it are: {', '.join(names)}.",
        )
    return max((names.index(name) + 1 for name in stage.needs), default=len(names))


def is_for_branch(pipeline: Pipeline, branch: str, *, is_default: bool) -> bool:
    """Tell whether a push to a branch starts the pipeline."""
    if not pipeline.branches:
        return is_default
    return any(fnmatchcase(branch, pattern) for pattern in pipeline.branches)

"""Stages as the JSON that a run's plan keeps, and back."""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from roadbed.delivery.types import ReportKind, ReportPlan, Stage, StageStep


def freeze_stage(stage: Stage) -> dict[str, Any]:
    return asdict(stage)


def thaw_stage(values: Mapping[str, Any]) -> Stage:
    steps = tuple(
        StageStep(
            **{
                **step,
                "reports": tuple(ReportPlan(ReportKind(one["kind"]), one["path"]) for one in step["reports"]),
            }
        )
        for step in values["steps"]
    )
    return Stage(**{**values, "steps": steps, "needs": tuple(values["needs"])})

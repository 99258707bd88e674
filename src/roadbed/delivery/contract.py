"""What other domains may use of pipelines."""

from roadbed.delivery.access import PIPELINE_READ, PIPELINE_RUN
from roadbed.delivery.errors import NothingToRun, NotIsolated, PipelineInvalid
from roadbed.delivery.service.reports import PipelineRunResults, find_pipeline_run, list_pipeline_runs
from roadbed.delivery.service.starting import ensure_pipeline_run
from roadbed.delivery.types import PIPELINE_KIND, STANDARD, PipelineRunFilter, PipelineRunView, TestCounts
from roadbed.delivery.workflows.parts import pipeline_wait

__all__ = [
    "PIPELINE_KIND",
    "PIPELINE_READ",
    "PIPELINE_RUN",
    "STANDARD",
    "NotIsolated",
    "NothingToRun",
    "PipelineInvalid",
    "PipelineRunFilter",
    "PipelineRunResults",
    "PipelineRunView",
    "TestCounts",
    "ensure_pipeline_run",
    "find_pipeline_run",
    "list_pipeline_runs",
    "pipeline_wait",
]

"""Pipelines in force: what a repository may change and what it may not."""

from typing import Any

import pytest

from roadbed.delivery.errors import PipelineInvalid
from roadbed.delivery.rules.frozen import freeze_stage, thaw_stage
from roadbed.delivery.rules.pipelines import extend, holds, is_for_branch, read_pipeline
from roadbed.delivery.rules.score import find_command
from roadbed.delivery.rules.words import condition_words
from roadbed.delivery.types import Pipeline
from roadbed.delivery.workflows.tools import passwords_of, pick_environment


def make_pipeline(*stages: dict[str, Any], ref: str = "pipeline:default/own", **spec: Any) -> Pipeline:
    return read_pipeline(ref, {"version": "1", "stages": list(stages), **spec})


def make_stage(id_: str, target: str | None = None, **more: Any) -> dict[str, Any]:
    return {"id": id_, "steps": [{"make": target or id_}], **more}


BASE = make_pipeline(make_stage("test", required=True), make_stage("lint"), make_stage("build"), branches=["*"])


def names(pipeline: Pipeline) -> list[str]:
    return [stage.id for stage in pipeline.stages]


def test_own_pipeline_adds_stages_and_replaces_optional_ones() -> None:
    own = make_pipeline(make_stage("e2e", needs=["lint"]), make_stage("lint", "style"), make_stage("last"))
    joined = extend(BASE, own)
    assert names(joined) == ["test", "lint", "e2e", "build", "last"]
    assert joined.stages[1].steps[0].make == "style"
    assert joined.version == "1+1"
    assert joined.branches == ("*",)


def test_own_pipeline_cannot_replace_or_leave_out_a_required_stage() -> None:
    joined = extend(BASE, make_pipeline(make_stage("test", "nothing")))
    assert joined.stages[0].steps[0].make == "test"
    assert names(joined) == names(BASE)


@pytest.mark.parametrize(
    ("stages", "reason"),
    [
        ([make_stage("a"), make_stage("a")], "more than one stage 'a'"),
        ([make_stage("checkout")], "name of the first step"),
        ([{"id": "a", "steps": [{"uses": "magic"}]}], "'magic', which Roadbed does not have"),
        ([make_stage("a", when="branch ==")], "condition"),
        ([make_stage("a", when="nothing == 1")], "condition"),
    ],
)
def test_pipeline_that_cannot_be_run_says_why(stages: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(PipelineInvalid, match=reason):
        make_pipeline(*stages)


def test_stage_that_needs_a_missing_one_is_refused() -> None:
    with pytest.raises(PipelineInvalid, match="needs 'deploy'"):
        extend(BASE, make_pipeline(make_stage("a", needs=["deploy"])))


def test_stage_is_frozen_and_thawed_alike() -> None:
    step = {
        "make": "t",
        "reports": [{"type": "junit", "path": "a.xml"}],
        "when": "isDefaultBranch",
        "allowFailure": True,
    }
    (stage,) = make_pipeline({"id": "t", "needs": [], "timeoutSeconds": 5, "steps": [step]}).stages
    assert thaw_stage(freeze_stage(stage)) == stage


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("isDefaultBranch", "Only on the default branch"),
        ("! isDefaultBranch", "Only on branches other than the default one"),
        ("branch.startsWith('release')", "Only where branch.startsWith('release') holds"),
    ],
)
def test_reason_of_a_skipped_stage_is_in_words(condition: str, words: str) -> None:
    assert condition_words(condition) == words


def test_conditions_see_the_branch() -> None:
    values = {"branch": "main", "isDefaultBranch": True, "repository": "shop/orders", "commit": "c"}
    assert holds(None, values)
    assert holds("isDefaultBranch && repository.startsWith('shop/')", values)
    assert not holds("branch != 'main'", values)


@pytest.mark.parametrize(
    ("branches", "branch", "is_default", "expected"),
    [
        ([], "main", True, True),
        ([], "side", False, False),
        (["*"], "feature/a", False, True),
        (["release-*"], "main", True, False),
    ],
)
def test_branches_choose_what_is_run(branches: list[str], branch: str, is_default: bool, expected: bool) -> None:
    pipeline = make_pipeline(make_stage("a"), branches=branches)
    assert is_for_branch(pipeline, branch, is_default=is_default) is expected


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ({"main": {"image": ".", "command": ["python"], "args": ["-m", 1]}}, ("python", "-m", "1")),
        ({"a": {"image": "redis", "command": ["r"]}, "b": {"image": ".", "command": ["b"]}}, ("b",)),
        ({"a": {"image": "x"}, "b": {"image": "y"}}, ()),
        ("none", ()),
        ({"a": "text"}, ()),
    ],
)
def test_command_is_that_of_what_is_built_here(containers: object, expected: tuple[str, ...]) -> None:
    assert find_command({"containers": containers}) == expected


def test_only_listed_variables_are_passed_and_never_roadbeds_own() -> None:
    environment = {"UV_INDEX": "a", "HOME": "b", "ROADBED_SECRETS__KEY": "c", "HTTPS_PROXY": "d"}
    assert pick_environment(environment, ["UV_*", "HTTPS_PROXY"]) == {"UV_INDEX": "a", "HTTPS_PROXY": "d"}
    assert "ROADBED_SECRETS__KEY" not in pick_environment(environment, ["*"])


def test_passwords_in_addresses_are_known() -> None:
    values = ["https://me:s3cr%40t@example.org/simple other", "http://[bad", "https://example.org"]
    assert passwords_of(values) == ["s3cr%40t", "s3cr@t"]

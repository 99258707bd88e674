"""Which definition is chosen, and what is said of the others."""

from dataclasses import replace
from typing import Any

import pytest

from roadbed.provisioning.errors import AmbiguousDefinition, NoDefinition
from roadbed.provisioning.rules.matching import Definition, Request, match

REQUEST = Request("component:default/a", "dev", "development", "postgres", "x", "default", {"size": 3})


def define(name: str, *criteria: dict[str, str], **fields: Any) -> Definition:
    return Definition(f"resourcedefinition:default/{name}", "1.0", "local", criteria=criteria, **fields)


def chosen(*definitions: Definition, request: Request = REQUEST) -> str:
    return match(request, definitions)[0].ref.rpartition("/")[2]


@pytest.mark.parametrize(
    ("weak", "strong"),
    [
        ({}, {"environmentType": "development"}),
        ({"environmentType": "development"}, {"application": "a"}),
        ({"application": "a", "environmentType": "development"}, {"environment": "dev"}),
        ({"application": "a", "environment": "dev", "environmentType": "development"}, {"resource": "x"}),
        ({"application": "component:default/a"}, {"application": "a", "environmentType": "development"}),
    ],
)
def test_more_specific_criterion_wins_whatever_the_order(weak: dict[str, str], strong: dict[str, str]) -> None:
    one, other = define("weak", weak), define("strong", strong)
    assert chosen(one, other) == chosen(other, one) == "strong"


def test_class_decides_last_and_excludes_other_classes() -> None:
    any_class, small = define("any"), define("small", class_="small")
    assert chosen(any_class, small) == "any"
    assert chosen(any_class, small, request=replace(REQUEST, class_="small")) == "small"


def test_best_criterion_of_a_definition_counts() -> None:
    both = define("both", {"environment": "prod"}, {"resource": "x"})
    assert chosen(both, define("env", {"environment": "dev"})) == "both"


def test_expression_narrows_without_making_stronger() -> None:
    assert chosen(define("when", {"environment": "dev", "when": "params.size > 2"}), define("all")) == "when"
    assert chosen(define("when", {"environment": "dev", "when": "params.size > 5"}), define("all")) == "all"
    verdicts = match(REQUEST, [define("when", {"when": "nonsense("}), define("all")])[1]
    assert "cannot be decided" in verdicts[1].reason


def test_supported_wins_over_deprecated_of_the_same_strength() -> None:
    assert chosen(define("old", support="deprecated"), define("new")) == "new"


def test_two_of_the_same_strength_are_refused() -> None:
    with pytest.raises(AmbiguousDefinition, match="apply equally"):
        match(REQUEST, [define("one"), define("two")])


def test_each_considered_definition_has_a_reason() -> None:
    verdicts = match(
        REQUEST, [define("all"), define("dev", {"environment": "dev"}), define("prod", {"environment": "prod"})]
    )[1]
    assert [(verdict.outcome, verdict.reason) for verdict in verdicts] == [
        ("chosen", "the environment is dev"),
        (
            "less specific",
            "it applies everywhere; resourcedefinition:default/dev is more specific: the environment is dev",
        ),
        ("does not apply", "the environment is dev, not prod"),
    ]


def test_when_none_applies_the_error_says_why_each_does_not() -> None:
    with pytest.raises(NoDefinition, match="not prod") as caught:
        match(REQUEST, [define("prod", {"environment": "prod"}), define("big", class_="big")])
    assert len(caught.value.problems) == 2

"""Choosing the resource definition for a request, with the reason for each that was considered.

A definition applies when its class is the request's, or it names none, and one of its criteria holds with all its
fields. Among those that apply the one with the most specific criterion wins. The order of specificity, from strong to
weak: the resource's id, the environment, the application, the type of environment, then the class.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from roadbed.core.expressions import ANY, BOOL, STRING, Expression, ExpressionFailed, ExpressionInvalid
from roadbed.kit.refs import InvalidRef, parse_ref
from roadbed.provisioning.errors import AmbiguousDefinition, NoDefinition

# CEL names of what a criterion's `when` may use.
_INPUTS = {
    "application": STRING,
    "environment": STRING,
    "environmentType": STRING,
    "resource": STRING,
    "resourceClass": STRING,
    "params": ANY,
}
_FIELDS = ("resource", "environment", "application", "environmentType")
_WORDS = {
    "resource": "the resource",
    "environment": "the environment",
    "application": "the application",
    "environmentType": "the type of environment",
}
_SUPPORT = {"supported": 2, "experimental": 1, "deprecated": 0}

Rank = tuple[bool, ...]


@dataclass(frozen=True)
class Request:
    """What is asked for, as criteria see it."""

    application: str
    environment: str
    environment_type: str
    type: str
    id: str
    class_: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def values(self) -> dict[str, Any]:
        return {
            "application": self.application,
            "environment": self.environment,
            "environmentType": self.environment_type,
            "resource": self.id,
            "resourceClass": self.class_,
            "params": dict(self.params),
        }


@dataclass(frozen=True)
class Definition:
    """A ResourceDefinition entity."""

    ref: str
    version: str
    driver: str
    class_: str | None = None
    inputs: Mapping[str, Any] = field(default_factory=dict)
    criteria: Sequence[Mapping[str, Any]] = ()
    support: str = "supported"
    guardrails: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True)
class Verdict:
    """What became of one definition."""

    definition: Definition
    outcome: str
    """`chosen`, `less specific` or `does not apply`."""
    reason: str

    def to_data(self) -> dict[str, Any]:
        return {
            "definition": self.definition.ref,
            "version": self.definition.version,
            "driver": self.definition.driver,
            "outcome": self.outcome,
            "reason": self.reason,
        }


@dataclass(frozen=True)
class _Fit:
    rank: Rank
    reason: str


@dataclass(frozen=True)
class _Miss:
    reason: str


def match(request: Request, definitions: Sequence[Definition]) -> tuple[Definition, list[Verdict]]:
    """Return the definition for `request`, and a verdict on each that was considered, the chosen one first.

    Raises:
        NoDefinition: none applies.
        AmbiguousDefinition: two are equally specific and equally well supported.
    """
    found = [(definition, _weigh(request, definition)) for definition in definitions]
    missed = [Verdict(one, "does not apply", fit.reason) for one, fit in found if isinstance(fit, _Miss)]
    fitting = [(definition, fit) for definition, fit in found if isinstance(fit, _Fit)]
    if not fitting:
        raise _none(request, missed)
    fitting.sort(key=lambda pair: _strength(*pair), reverse=True)
    chosen, best = fitting[0]
    for other, fit in fitting[1:2]:
        if _strength(other, fit) == _strength(chosen, best):
            raise AmbiguousDefinition(
                f"{chosen.ref} and {other.ref} apply equally to the {request.type} {request.id!r}: {best.reason}.",
                hint="Add a criterion to one of them, so that it is more specific.",
            )
    losers = [Verdict(one, "less specific", _lost(one, fit, chosen, best)) for one, fit in fitting[1:]]
    return chosen, [Verdict(chosen, "chosen", best.reason), *losers, *missed]


def _strength(definition: Definition, fit: _Fit) -> tuple[Rank, int]:
    return fit.rank, _SUPPORT.get(definition.support, 0)


def _lost(loser: Definition, fit: _Fit, winner: Definition, best: _Fit) -> str:
    if fit.rank == best.rank:
        return f"{fit.reason}; it is {loser.support}, {winner.ref} is {winner.support}"
    return f"{fit.reason}; {winner.ref} is more specific: {best.reason}"


def _none(request: Request, missed: list[Verdict]) -> NoDefinition:
    reasons = [f"{verdict.definition.ref}: {verdict.reason}" for verdict in missed]
    what = f"the {request.type} {request.id!r} of class {request.class_!r} in {request.environment}"
    return NoDefinition(
        f"No resource definition provides {what}. " + ("; ".join(reasons) or f"There is none of type {request.type}"),
        hint="A platform engineer can add a ResourceDefinition whose class and criteria fit.",
        problems=reasons,
    )


def _weigh(request: Request, definition: Definition) -> _Fit | _Miss:
    if definition.class_ is not None and definition.class_ != request.class_:
        return _Miss(f"it is for the class {definition.class_!r}, not {request.class_!r}")
    has_class = definition.class_ is not None
    if not definition.criteria:
        reason = f"it is for the class {definition.class_!r}, everywhere" if has_class else "it applies everywhere"
        return _Fit((False,) * len(_FIELDS) + (has_class,), reason)
    results = [_weigh_criterion(request, criterion, has_class) for criterion in definition.criteria]
    fits = [result for result in results if isinstance(result, _Fit)]
    if fits:
        return max(fits, key=lambda fit: fit.rank)
    return _Miss("; ".join(result.reason for result in results if isinstance(result, _Miss)))


def _weigh_criterion(request: Request, criterion: Mapping[str, Any], has_class: bool) -> _Fit | _Miss:  # noqa: FBT001 - internal
    values = request.values()
    held = []
    for name in _FIELDS:
        if name not in criterion:
            continue
        if not _holds(name, criterion[name], values[name]):
            return _Miss(f"{_WORDS[name]} is {values[name]}, not {criterion[name]}")
        held.append(f"{_WORDS[name]} is {criterion[name]}")
    if "when" in criterion:
        failure = _evaluate(criterion["when"], values)
        if failure:
            return _Miss(failure)
        held.append(criterion["when"])
    rank = (*(name in criterion for name in _FIELDS), has_class)
    return _Fit(rank, " and ".join(held) or "it applies everywhere")


def _holds(name: str, wanted: str, actual: str) -> bool:
    if name != "application":
        return wanted == actual
    application = parse_ref(actual)
    try:
        return parse_ref(wanted, default_kind=application.kind) == application
    except InvalidRef:
        return False


def _evaluate(source: str, values: Mapping[str, Any]) -> str:
    """Return why the expression does not hold; empty when it does."""
    try:
        expression = Expression.compile(source, inputs=_INPUTS, result=BOOL)
        return "" if expression.evaluate(values) else f"{source} is false"
    except (ExpressionInvalid, ExpressionFailed) as error:
        return f"{source} cannot be decided: {error.message}"

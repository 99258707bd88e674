"""What a workload finds in its environment variables."""

from collections.abc import Mapping
from typing import Any

from roadbed.environments.errors import ScoreInvalid
from roadbed.environments.rules.placeholders import resolve_text, source_of
from roadbed.environments.types import Variable, WorkloadSpec

FROM_TYPE = "environment type"


def bind_variables(
    spec: WorkloadSpec, *, common: Mapping[str, str], resources: Mapping[str, Mapping[str, Any]]
) -> list[Variable]:
    """Return the variables of a workload by name. What its Score file says goes before what the type gives to all.

    Args:
        spec: from the Score file.
        common: variables of the environment type.
        resources: outputs by the name that the Score file gives the resource.

    Raises:
        PlaceholderUnknown: with what there is.
        ScoreInvalid: a variable of the environment type holds a secret reference.
    """
    found: dict[str, Variable] = {}
    for name, value in common.items():
        if "secret://" in value:
            # Whoever may change the environment type could otherwise read any secret through a workload.
            raise ScoreInvalid(
                f"The variable {name} of the environment type holds a secret reference.",
                hint="Secrets come from resources. A platform engineer takes it out of the EnvironmentType.",
            )
        found[name] = Variable(name, value, FROM_TYPE)
    for name, text in spec.variables.items():
        value = resolve_text(text, metadata=spec.metadata, resources=resources)
        found[name] = Variable(name, value, source_of(text))
    return [found[name] for name in sorted(found)]

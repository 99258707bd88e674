"""The command that starts a workload, from its Score file."""

from collections.abc import Mapping
from typing import Any

BUILT_HERE = "."
"""The image of a container that runs what the pipeline built."""


def find_command(score: Mapping[str, Any]) -> tuple[str, ...]:
    """Return the command of the container that runs what was built; empty when none is declared.

    That is the container whose image is `.`, or the only one.
    """
    containers = score.get("containers")
    if not isinstance(containers, dict):
        return ()
    all_ = [container for container in containers.values() if isinstance(container, dict)]
    built = [container for container in all_ if container.get("image") == BUILT_HERE] or all_
    if len(built) != 1:
        return ()
    words = [*_words(built[0].get("command")), *_words(built[0].get("args"))]
    return tuple(words)


def _words(value: Any) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []

"""Reading an address once, without keeping anything: what registering it would bring."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Sampler:
    """The box in which the module puts what reads; `read_once` returns documents, or raises what is wrong."""

    read_once: Callable[[str], Awaitable[list[dict[str, Any]]]]

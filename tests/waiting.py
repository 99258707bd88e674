"""Waiting for what comes about by itself."""

import time
from collections.abc import Callable
from typing import Any


def wait_for(
    look: Callable[[], Any], is_it: Callable[[Any], Any] = bool, *, seconds: float = 60, what: str = "it"
) -> Any:
    """Return what `look` gives, as soon as it is as wanted; without `is_it`, as soon as it is something.

    It looks less often the longer it waits, so that the machine is left to what is waited for.
    """
    began = time.monotonic()
    while not is_it(found := look()):
        waited = time.monotonic() - began
        assert waited < seconds, f"{what} did not come about within {seconds:.0f} s; seen last: {found!r}"
        time.sleep(min(0.5, 0.02 + waited / 8))
    return found

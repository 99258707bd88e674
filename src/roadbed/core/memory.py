"""How the server's process treats memory: when garbage is looked for, and what is given back."""

import ctypes
import gc

_YOUNG_OBJECTS = 20_000
"""How many objects are made until the collector looks: its default of 700 costs a quarter of large work, for nothing
but a few megabytes."""


def configure_collector() -> None:
    """Have the collector look less often. For a process that serves, at its start."""
    gc.set_threshold(_YOUNG_OBJECTS, 10, 10)


def release_memory() -> None:
    """Give back to the system what large work has left behind: the allocator of glibc keeps it else."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

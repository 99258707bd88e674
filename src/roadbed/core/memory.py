"""How the server's process treats memory: when garbage is looked for, and what is given back."""

import ctypes
import gc

_YOUNG_OBJECTS = 20_000
"""How many objects are made until the collector looks: its default of 700 costs a quarter of large work, for nothing
but a few megabytes."""


_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h


def configure_memory() -> None:
    """Have the collector look less often, and keep all memory in one arena. For a process that serves, at its start.

    glibc gives each thread an arena of its own: pieces of memory that only this thread fills again. Python's threads
    seldom allocate at the same time.
    """
    gc.set_threshold(_YOUNG_OBJECTS, 10, 10)
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)  # of glibc alone
    if mallopt is not None:
        mallopt(_ARENA_MAX, 1)


def release_memory() -> None:
    """Give back to the system what large work has left behind: the allocator of glibc keeps it else."""
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)

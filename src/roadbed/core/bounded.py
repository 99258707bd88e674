"""The program that `core.apart` starts: it runs one function within bounds. It imports as little as it can."""

import importlib
import resource
import sys

NO_MEMORY = 71


def main() -> None:
    """Do the work: `module:function`, seconds of the processor, bytes of memory."""
    function, seconds, memory_bytes = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    module, _, name = function.partition(":")
    try:
        made: bytes = getattr(importlib.import_module(module), name)(sys.stdin.buffer.read())
    except MemoryError:
        sys.exit(NO_MEMORY)
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()

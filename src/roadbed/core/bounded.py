"""The program that `core.apart` starts: it runs one function within bounds. It imports as little as it can.

`module:function`, seconds of the processor, bytes of memory, then how it works: `bytes` to bytes at once, or `lines` of
JSON as they come.
"""

import importlib
import json
import resource
import sys
from collections.abc import Iterator
from typing import Any

NO_MEMORY = 71
BYTES, LINES = "bytes", "lines"


def main() -> None:
    """Do the work."""
    function, seconds, memory_bytes, way = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 1))
    resource.setrlimit(resource.RLIMIT_AS, (memory_bytes, memory_bytes))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    module, _, name = function.partition(":")
    try:
        work = getattr(importlib.import_module(module), name)
        if way == LINES:
            for answer in work(_read_lines()):
                sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
                sys.stdout.buffer.flush()
        else:
            sys.stdout.buffer.write(work(sys.stdin.buffer.read()))
    except MemoryError:
        sys.exit(NO_MEMORY)


def _read_lines() -> Iterator[Any]:
    for line in sys.stdin.buffer:
        yield json.loads(line)


if __name__ == "__main__":
    main()

"""Row ids: UUID version 7 (RFC 9562), whose order is the order of creation."""

import os
import threading
import time
from uuid import UUID

_lock = threading.Lock()
_last_milliseconds = 0
_last_counter = 0


def new_id() -> UUID:
    """Return a UUIDv7, strictly increasing within this process (RFC 9562, method 1: a 12-bit counter in rand_a)."""
    global _last_milliseconds, _last_counter  # noqa: PLW0603 - the counter is per process by definition
    with _lock:
        milliseconds = max(time.time_ns() // 1_000_000, _last_milliseconds)
        if milliseconds == _last_milliseconds:
            _last_counter += 1
            if _last_counter > 0xFFF:
                milliseconds, _last_counter = milliseconds + 1, 0
        else:
            _last_counter = int.from_bytes(os.urandom(2), "big") & 0x7FF
        _last_milliseconds = milliseconds
        counter = _last_counter
    random_bits = int.from_bytes(os.urandom(8), "big") & 0x3FFF_FFFF_FFFF_FFFF
    return UUID(int=milliseconds << 80 | 0x7 << 76 | counter << 64 | 0b10 << 62 | random_bits)


def parse_id(text: str) -> UUID | None:
    """Return the id that a name is, in the form in which Roadbed writes ids; None when it is none."""
    try:
        found = UUID(text)
    except ValueError:
        return None
    return found if str(found) == text else None

"""When a location is looked at next: after its interval, and a little later, so that those of one moment spread.

Many locations are often registered in the same minute, and would be looked at in the same minute for ever. One half of
the delay is a location's own and stays; the other half is another one after each look, so that none follows another's
steps. Both come out of a digest: the same look gives the same answer, in every process.
"""

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

SHARE = 0.2
"""Of the interval, which the delay is never longer than."""
MOST_SECONDS = 600


def find_due_at(location_id: UUID, checked_at: datetime, interval_seconds: int) -> datetime:
    """Return when a location that was looked at is looked at again."""
    own, other = _fraction(location_id.bytes), _fraction(location_id.bytes + checked_at.isoformat().encode())
    delay = longest_delay(interval_seconds) * (own + other) / 2
    return checked_at + timedelta(seconds=interval_seconds + delay)


def longest_delay(interval_seconds: int) -> float:
    """Return the most seconds that a look may come after its interval."""
    return min(interval_seconds * SHARE, MOST_SECONDS)


def _fraction(content: bytes) -> float:
    return int.from_bytes(hashlib.blake2b(content, digest_size=4).digest()) / 2**32

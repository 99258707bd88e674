"""What others see of a secret: its reference and what is known about it, never its value."""

from dataclasses import dataclass
from datetime import datetime

SCHEME = "secret://"


@dataclass(frozen=True)
class SecretInfo:
    """What is known about a stored value. `version` grows with each change."""

    path: str
    version: int
    created_at: datetime
    updated_at: datetime

    @property
    def reference(self) -> str:
        return SCHEME + self.path

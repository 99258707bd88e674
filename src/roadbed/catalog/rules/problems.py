"""Problems: what is wrong with something that was read, said so that a person finds the place and the way out."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

Path = Sequence[str | int]


class Severity(StrEnum):
    """An error keeps its entity out of the catalog; a warning does not."""

    ERROR = "error"
    WARNING = "warning"


class ProblemCode(StrEnum):
    """Where a problem lies: in what a file says or may say, between entities, or in what a Location entity leads to."""

    INVALID = "invalid"
    NOT_ALLOWED = "not_allowed"
    TWICE = "twice"
    CONFLICT = "conflict"
    CYCLE = "cycle"
    TARGET = "target"


@dataclass(frozen=True)
class Problem:
    """One fault.

    Args:
        file: where it was read from, as given to the reader; empty when it came in a request.
        line: counted from 1; 0 when the place is unknown.
        column: counted from 1; 0 when the place is unknown.
        path: the field, `spec.dependsOn[0]`; empty for the whole document.
        reason: what is wrong, as a sentence.
        hint: what to do; empty when the reason says it all.
        ref: the entity concerned, when it could be told.
        code: which sort of fault, for programs.
    """

    file: str
    line: int
    column: int
    path: str
    reason: str
    hint: str = ""
    severity: Severity = Severity.ERROR
    ref: str = ""
    code: ProblemCode = ProblemCode.INVALID

    @property
    def is_error(self) -> bool:
        return self.severity is Severity.ERROR

    def __str__(self) -> str:
        place = ":".join([self.file or "input", *(str(number) for number in (self.line, self.column) if number)])
        return f"{place}: {self.reason}" + (f" {self.hint}" if self.hint else "")

    def as_dict(self) -> dict[str, Any]:
        return {
            "file": self.file,
            "line": self.line,
            "column": self.column,
            "path": self.path,
            "reason": self.reason,
            "hint": self.hint,
            "severity": self.severity.value,
            "ref": self.ref,
            "code": self.code.value,
        }


def write_path(path: Path) -> str:
    """Write a path as people read it: `spec.dependsOn[0]`, `metadata.labels["a b"]`."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        elif part and all(character.isalnum() or character in "_-$" for character in part):
            text += f".{part}" if text else part
        else:
            text += f'["{part}"]'
    return text

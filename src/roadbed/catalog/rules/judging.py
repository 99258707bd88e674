"""What a file holds: its sound entities, and what is wrong with the rest."""

import pickle
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache

from roadbed.catalog.rules.documents import Document, Reading, read_documents, read_quickly
from roadbed.catalog.rules.harvest import ReadEntity, make_entity, origin_annotations
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.kinds.declared import is_declaration
from roadbed.catalog.rules.placeholders import Include, fill
from roadbed.catalog.rules.problems import Problem, ProblemCode, Severity
from roadbed.catalog.rules.validation import check, find_definition, find_ref

_MAY_NOT_DEFINE = (
    "A file of this location may not define a kind.",
    "Who may define kinds allows it in the location's settings, or puts the kind with `roadbed apply`.",
)


@dataclass(frozen=True)
class FilePlace:
    """Where a file is: its path in the location, its own location ref, and that of the location.

    `defaults` are annotations of its entities that have none of that name, `allowed_kinds` the kinds that these may
    have; None: all. Kinds they define only when it `may_define_kinds`.
    """

    path: str
    managed_by: str
    origin: str
    defaults: Mapping[str, str] = field(default_factory=dict)
    allowed_kinds: frozenset[str] | None = None
    may_define_kinds: bool = True

    @property
    def annotations(self) -> dict[str, str]:
        return origin_annotations(managed_by=self.managed_by, origin=self.origin)


@dataclass(frozen=True)
class JudgedFile:
    """The entities of a file, of two with one ref the last, its problems, and its declared kinds (`Kinds.uses`)."""

    entities: tuple[ReadEntity, ...]
    problems: tuple[Problem, ...]
    kinds: dict[str, str]


def judge_file(content: bytes, place: FilePlace, kinds: Kinds, include: Include) -> JudgedFile:
    """Read a file and judge each of its documents.

    Args:
        content: the file.
        place: where it is.
        kinds: the kinds in force.
        include: reads the files that placeholders name.
    """
    reading = read_quickly(content, file=place.path)
    judged = _Judge(place, kinds, include).judge(reading)
    if judged.problems and not reading.has_places:
        return _Judge(place, kinds, include).judge(read_documents(content, file=place.path))
    return judged


def judge_alone(content: bytes, place: FilePlace, packed_kinds: bytes) -> JudgedFile | None:
    """Judge a file in a process that has no other files. None: it names some, so whoever has them must judge it.

    `packed_kinds` is a pickled `Kinds`: compiled once, and kept for the files that follow.
    """
    try:
        return judge_file(content, place, _unpack(packed_kinds), _refuse)
    except _NamesFiles:
        return None


@lru_cache(maxsize=1)
def _unpack(packed_kinds: bytes) -> Kinds:
    kinds: Kinds = pickle.loads(packed_kinds)  # noqa: S301 - from this process's own server
    return kinds


class _NamesFiles(Exception):
    """A placeholder names a file."""


def _refuse(path: str) -> bytes:
    raise _NamesFiles(path)


@dataclass
class _Judge:
    place: FilePlace
    kinds: Kinds
    include: Include
    _entities: dict[str, ReadEntity] = field(default_factory=dict)
    _problems: list[Problem] = field(default_factory=list)

    def judge(self, reading: Reading) -> JudgedFile:
        self._problems += reading.problems
        for document in reading.documents:
            entity = self._take(document)
            if entity is None:
                continue
            first = self._entities.get(str(entity.ref))
            if first is not None:
                self._problems.append(_say_twice(first, entity))
            self._entities[str(entity.ref)] = entity
        kinds = self.kinds.uses(document.data.get("kind") for document in reading.documents)
        return JudgedFile(tuple(self._entities.values()), tuple(self._problems), kinds)

    def _take(self, document: Document) -> ReadEntity | None:
        ref = find_ref(document)
        document, found = fill(document, self.include)
        found += check(document, self.kinds) if not found else []
        if not self.place.may_define_kinds and is_declaration(document.data):
            found.append(document.problem(("kind",), *_MAY_NOT_DEFINE))
        self._problems += [replace(problem, ref=str(ref) if ref else "") for problem in found]
        if any(problem.is_error for problem in found):
            return None
        definition = find_definition(document, self.kinds)
        assert not isinstance(definition, Problem)
        allowed = self.place.allowed_kinds
        if allowed is not None and definition.name not in allowed:
            self._problems.append(_say_not_allowed(document, definition.name, str(ref), allowed))
            return None
        return make_entity(document, definition, origin=self.place.annotations, defaults=self.place.defaults)


def _say_not_allowed(document: Document, kind: str, ref: str, allowed_kinds: frozenset[str]) -> Problem:
    allowed = ", ".join(sorted(allowed_kinds)) or "none"
    reason = f"Entities of kind {kind} are not allowed from this location."
    hint = f"It may have {allowed}. A platform engineer changes that in its settings, or in catalog.allowed_kinds."
    problem = document.problem(("kind",), reason, hint)
    return replace(problem, ref=ref, code=ProblemCode.NOT_ALLOWED)


def _say_twice(first: ReadEntity, second: ReadEntity) -> Problem:
    return Problem(
        second.file,
        second.line,
        1,
        "metadata.name",
        f"{second.ref} stands twice in this file, first on line {first.line}; this one is taken.",
        "Remove one of them, or rename it.",
        Severity.WARNING,
        str(second.ref),
        ProblemCode.TWICE,
    )

"""Collecting: reads a source file by file, follows its Location entities, and judges what it finds."""

from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from roadbed.catalog.rules.documents import Document, read_documents
from roadbed.catalog.rules.harvest import Harvest, ReadEntity, ReadFile, make_entity, origin_annotations
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.placeholders import IncludeError, fill
from roadbed.catalog.rules.problems import Problem, ProblemCode, Severity
from roadbed.catalog.rules.sources import VIEW_URL
from roadbed.catalog.rules.targets import Target, TargetError, resolve, targets_of
from roadbed.catalog.rules.validation import check, find_definition, find_ref
from roadbed.catalog.workflows.sources import Source

MAX_FILES = 20_000
# Part of each file's digest: raise it when reading gives other results for the same content.
READING = "1"


@dataclass(frozen=True)
class KnownFile:
    """A file as it was when it was last read, with what its Location entities name."""

    digest: str
    includes: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()


class Cancelled(Exception):
    """Whoever asked for the reading does not want it any more."""


@dataclass
class Collector:
    """One reading of one source.

    Args:
        source: what to read.
        origin: the location ref of the location.
        known: files of the last reading, by path; those that are unchanged are not parsed again.
        kinds: the kinds in force.
        is_cancelled: asked between files.
    """

    source: Source
    origin: str
    known: Mapping[str, KnownFile]
    kinds: Kinds
    is_cancelled: Callable[[], bool] = lambda: False
    _queue: deque[str] = field(default_factory=deque)
    _seen: set[str] = field(default_factory=set)
    _problems: list[Problem] = field(default_factory=list)

    def collect(self) -> Harvest:
        """Read everything.

        Raises:
            LocationUnreadable: the source as a whole cannot be read.
            Cancelled: nobody wants it any more.
        """
        self._enqueue(self.source.list_entries())
        files: list[ReadFile] = []
        while self._queue:
            if self.is_cancelled():
                raise Cancelled
            if len(files) >= MAX_FILES:
                reason = f"The location names more than {MAX_FILES:,} files; the rest is not read."
                self._problems.append(
                    Problem("", 0, 0, "", reason, "Split it into several locations.", code=ProblemCode.TARGET)
                )
                break
            path = self._queue.popleft()
            files.append(self._read(path))
        paths = {path for file in files for path in (file.path, *file.includes)}
        return Harvest(tuple(files), self.source.fingerprint(paths), self.source.revision, tuple(self._problems))

    def _enqueue(self, paths: list[str]) -> None:
        for path in paths:
            if path not in self._seen:
                self._seen.add(path)
                self._queue.append(path)

    def _read(self, path: str) -> ReadFile:
        digest = f"{READING}.{self.source.digest(path)}"
        known = self.known.get(path)
        if known is not None and known.digest == digest and self._are_same(known.includes):
            for target in known.targets:
                self._follow(path, target)
            return ReadFile(path, digest, known.includes)
        reading = read_documents(self.source.read(path), file=path)
        includes = _Includes(self.source, path)
        problems = list(reading.problems)
        entities: dict[str, ReadEntity] = {}
        for document in reading.documents:
            entity = self._judge(document, includes, problems)
            if entity is None:
                continue
            if str(entity.ref) in entities:
                problems.append(_say_twice(entities[str(entity.ref)], entity))
            entities[str(entity.ref)] = entity
        for entity in entities.values():
            for target in targets_of(entity):
                self._follow(path, target)
        return ReadFile(path, digest, includes.digests, tuple(entities.values()), tuple(problems))

    def _are_same(self, includes: Mapping[str, str]) -> bool:
        return all((self.source.digest(path) or "") == digest for path, digest in includes.items())

    def _judge(self, document: Document, includes: "_Includes", problems: list[Problem]) -> ReadEntity | None:
        ref = find_ref(document)
        document, found = fill(document, includes.read)
        found += check(document, self.kinds) if not found else []
        problems += [replace(problem, ref=str(ref) if ref else "") for problem in found]
        if any(problem.is_error for problem in found):
            return None
        definition = find_definition(document, self.kinds)
        assert not isinstance(definition, Problem)
        managed_by = self.source.describe(document.file)
        annotations = origin_annotations(managed_by=managed_by, origin=self.origin)
        if managed_by.startswith("url:"):
            annotations[VIEW_URL] = managed_by.removeprefix("url:")
        return make_entity(document, definition, origin=annotations)

    def _follow(self, path: str, target: Target) -> None:
        try:
            found = self.source.expand(resolve(path, target.text))
        except TargetError as error:
            self._report(target, f"The target {target.text!r} was not read: {error}.", error.hint, Severity.WARNING)
            return
        if not found and not target.is_optional:
            self._report(target, f"The target {target.text!r} is not there.", "Correct it, or set presence: optional.")
        self._enqueue(found)

    def _report(self, target: Target, reason: str, hint: str, severity: Severity = Severity.ERROR) -> None:
        self._problems.append(
            Problem(target.file, target.line, 1, "spec.targets", reason, hint, severity, target.ref, ProblemCode.TARGET)
        )


class _Includes:
    """Reads files for placeholders and remembers their digests."""

    def __init__(self, source: Source, base: str) -> None:
        self._source = source
        self._base = base
        self.digests: dict[str, str] = {}

    def read(self, target: str) -> bytes:
        try:
            path = resolve(self._base, target)
        except TargetError as error:
            raise IncludeError(str(error)) from error
        digest = self._source.digest(path)
        self.digests[path] = digest or ""
        if digest is None:
            raise IncludeError("there is no such file")
        return self._source.read(path)


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

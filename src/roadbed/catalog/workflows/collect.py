"""Collecting: reads a source file by file, follows its Location entities, and judges what it finds."""

import pickle
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cached_property, partial

from roadbed.catalog.rules.harvest import Harvest, ReadFile
from roadbed.catalog.rules.judging import FilePlace, JudgedFile, judge_alone, judge_file
from roadbed.catalog.rules.kinds import Kinds
from roadbed.catalog.rules.placeholders import IncludeError
from roadbed.catalog.rules.problems import Problem, ProblemCode, Severity
from roadbed.catalog.rules.targets import Target, TargetError, resolve, targets_of
from roadbed.catalog.types import Source
from roadbed.core.workers import Workers
from roadbed.kit.jsons import digest

MAX_FILES = 20_000
_TOO_MANY = Problem(
    "",
    0,
    0,
    "",
    f"The location names more than {MAX_FILES:,} files; the rest is not read.",
    "Split it into several locations.",
    code=ProblemCode.TARGET,
)
# From here on workers are worth their start. Each has at most so many files before it.
_LARGE_BYTES = 512 * 1024
_AHEAD = 8
# Part of each file's digest: raise it when reading gives other results for the same content.
READING = "1"


@dataclass(frozen=True)
class KnownFile:
    """A file as it was when it was last read, with the kinds of its entities and what its Location entities name."""

    digest: str
    includes: Mapping[str, str] = field(default_factory=dict)
    kinds: Mapping[str, str] = field(default_factory=dict)
    targets: tuple[Target, ...] = ()


_Read = tuple[ReadFile, tuple[Target, ...]]


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
        allowed_kinds: names of those that entities of this location may have; None: all.
        may_define_kinds: whether its entities may define kinds.
        is_cancelled: asked between files.
    """

    source: Source
    origin: str
    known: Mapping[str, KnownFile]
    kinds: Kinds
    allowed_kinds: frozenset[str] | None = None
    may_define_kinds: bool = True
    is_cancelled: Callable[[], bool] = lambda: False
    _queue: deque[str] = field(default_factory=deque, init=False)
    _seen: set[str] = field(default_factory=set, init=False)
    _problems: list[Problem] = field(default_factory=list, init=False)
    _stack: ExitStack = field(default_factory=ExitStack, init=False)
    _workers: Workers | None = field(default=None, init=False)
    _packed_kinds: bytes = field(default=b"", init=False)
    _size_bytes: int = field(default=0, init=False)

    @cached_property
    def _reading(self) -> str:
        """Part of each file's state: what its content is read with."""
        return seal(READING, self.allowed_kinds, may_define_kinds=self.may_define_kinds)

    def collect(self) -> Harvest:
        """Read everything.

        Raises:
            LocationUnreadable: the source as a whole cannot be read.
            Cancelled: nobody wants it any more.
        """
        self._enqueue(self.source.list_entries())
        files: list[ReadFile] = []
        with self._stack:
            while self._queue:
                wave = [self._queue.popleft() for _ in range(min(len(self._queue), MAX_FILES - len(files)))]
                for file, targets in self._read_all(wave):
                    files.append(file)
                    for target in targets:
                        self._follow(file.path, target)
                if self._queue and len(files) >= MAX_FILES:
                    self._problems.append(_TOO_MANY)
                    break
        paths = {path for file in files for path in (file.path, *file.includes)}
        fingerprint = seal(self.source.fingerprint(paths), self.allowed_kinds, may_define_kinds=self.may_define_kinds)
        return Harvest(tuple(files), fingerprint, self.source.revision, tuple(self._problems))

    def _enqueue(self, paths: list[str]) -> None:
        for path in paths:
            if path not in self._seen:
                self._seen.add(path)
                self._queue.append(path)

    def _read_all(self, paths: list[str]) -> Iterator[_Read]:
        """Read files, and return them in their order, each with the targets of its Location entities."""
        started: deque[Callable[[], _Read]] = deque()
        for path in paths:
            if self.is_cancelled():
                raise Cancelled
            started.append(self._start(path))
            if len(started) > _AHEAD:
                yield started.popleft()()
        while started:
            yield started.popleft()()

    def _start(self, path: str) -> Callable[[], _Read]:
        """Begin to read a file, and return what ends it."""
        state = f"{self._reading}.{self.source.digest(path)}"
        known = self.known.get(path)
        if known is not None and known.digest == state and self._are_same(known):
            return partial(_keep, ReadFile(path, state, known.includes, kinds=known.kinds), known.targets)
        content = self.source.read(path)
        place = FilePlace(
            path,
            managed_by=self.source.describe(path),
            origin=self.origin,
            defaults=self.source.annotate(path),
            allowed_kinds=self.allowed_kinds,
            may_define_kinds=self.may_define_kinds,
        )
        return partial(self._finish, state, content, place, self._judge_apart(content, place))

    def _judge_apart(self, content: bytes, place: FilePlace) -> "Future[JudgedFile | None] | None":
        """Have a worker judge a file when the location has turned out to be large."""
        self._size_bytes += len(content)
        if self._size_bytes < _LARGE_BYTES:
            return None
        if self._workers is None:
            self._workers = self._stack.enter_context(Workers("roadbed.catalog.rules.judging"))
            self._packed_kinds = pickle.dumps(self.kinds)
        return self._workers.submit(judge_alone, content, place, self._packed_kinds)

    def _finish(
        self, state: str, content: bytes, place: FilePlace, future: "Future[JudgedFile | None] | None"
    ) -> _Read:
        includes = _Includes(self.source, place.path)
        judged = future.result() if future is not None else None
        if judged is None:
            judged = judge_file(content, place, self.kinds, includes.read)
        targets = tuple(target for entity in judged.entities for target in targets_of(entity))
        file = ReadFile(place.path, state, includes.digests, judged.entities, judged.problems, judged.kinds)
        return file, targets

    def _are_same(self, known: KnownFile) -> bool:
        same = all((self.source.digest(path) or "") == digest for path, digest in known.includes.items())
        return same and self.kinds.uses(known.kinds) == known.kinds

    def _follow(self, path: str, target: Target) -> None:
        try:
            located = self.source.locate(target.text)
            found = self.source.expand(resolve(path, target.text) if located is None else located)
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


def seal(state: str, allowed_kinds: frozenset[str] | None, *, may_define_kinds: bool) -> str:
    """Return a state of a source or file that is another one when other kinds are allowed, so that it is read again."""
    allowed = "" if allowed_kinds is None else f"+{digest(sorted(allowed_kinds))[:12]}"
    return f"{state}{allowed}{'' if may_define_kinds else '-kinds'}"


def list_digests(
    known: Mapping[str, KnownFile], allowed_kinds: frozenset[str] | None, *, may_define_kinds: bool
) -> dict[str, str]:
    """Return the digests, as the source gave them, of files that need not be read again when they are the same."""
    reading = seal(READING, allowed_kinds, may_define_kinds=may_define_kinds) + "."
    return {path: file.digest.removeprefix(reading) for path, file in known.items() if file.digest.startswith(reading)}


def _keep(file: ReadFile, targets: tuple[Target, ...]) -> _Read:
    return file, targets

"""What a workload prints, kept on disk within a quota.

The process appends to `current.log` for as long as it lives, and nobody comes between. When the file holds more than
the quota, the older half is given back to the file system as a hole: the file keeps its length, so no line is lost on
the way and positions in it stay what they are. Where the file system cannot do that, the file is emptied instead.
"""

import ctypes
import errno
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import structlog

from roadbed.kit.text import filesize

log = structlog.get_logger(__name__)

OWN_LINE = "[roadbed] "
"""Begins a line that the runtime said, and not the workload."""
_ROW_BYTES = 16_384
_BLOCK_BYTES = 65_536
_MAX_SLICE_BYTES = 4_000_000
_KEEP_SIZE_PUNCH_HOLE = 0x01 | 0x02


@dataclass(frozen=True)
class LogSlice:
    """Lines from `position` on: `next_position` is that of the following ones.

    `lost_bytes` were printed right before these lines and are not kept any more.
    """

    lines: list[str]
    position: int
    next_position: int
    lost_bytes: int


@dataclass(frozen=True)
class _Marks:
    """`base` bytes were printed before the file was emptied last; `start` bytes of the file are a hole."""

    base: int = 0
    start: int = 0


class InstanceLog:
    """The log of one instance. Positions count all bytes that it ever printed.

    Args:
        folder: for its files.
        quota_bytes: what may be kept.
    """

    def __init__(self, folder: Path, *, quota_bytes: int) -> None:
        self._folder = folder
        self._quota = quota_bytes
        self._marks_file = folder / "marks"
        self.path = folder / "current.log"

    def open(self) -> Path:
        """Make the folder, and return the file that a process appends to."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.path

    def say(self, text: str) -> None:
        """Add a line of the runtime's own."""
        with self.open().open("ab") as file:
            file.write(f"{OWN_LINE}{text}\n".encode())

    def rotate(self) -> None:
        """Drop the oldest output when there is more than the quota."""
        marks = self._read_marks()
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return
        if size - marks.start <= self._quota:
            return
        with self.path.open("r+b") as file:
            kept = _Marks(marks.base, _after_line(file.fileno(), size - self._quota // 2))
            self._write_marks(kept)  # first, so that nobody reads the hole
            if not _punch(file.fileno(), kept.start):
                file.truncate(0)
                kept = _Marks(marks.base + size, 0)
                self._write_marks(kept)
        dropped = kept.base + kept.start - marks.base - marks.start
        log.info("environments.log_dropped", path=str(self.path), dropped_bytes=dropped)
        self.say(
            f"the oldest {filesize(dropped)} of this log were dropped: it keeps {filesize(self._quota)}; "
            "print less, or let ROADBED_ENVIRONMENTS__LOG_BYTES be raised"
        )

    def read(self, *, position: int | None = None, before: int | None = None, limit: int) -> LogSlice:
        """Return whole lines.

        Args:
            position: where to begin; None gives the last lines.
            before: where the last lines end; None is the end of the log.
            limit: at most so many lines.
        """
        marks = self._read_marks()
        if not self.path.exists():
            return LogSlice([], marks.base, marks.base, 0)
        with self.path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            if before is not None:
                size = min(max(before - marks.base, marks.start), size)
            if position is None:
                begin = _find_last(file.fileno(), limit, start=marks.start, size=size)
                lost = marks.base + begin if begin <= marks.start else 0
            else:
                begin = min(max(position - marks.base, marks.start), size)
                lost = max(0, marks.base + marks.start - position)
            kept = os.pread(file.fileno(), min(_MAX_SLICE_BYTES, size - begin), begin)
        if b"\n" not in kept and len(kept) == _MAX_SLICE_BYTES:
            kept += b"\n"  # a line without end is cut, so that its reader gets on
        lines = kept.split(b"\n")[:-1][:limit]
        taken = sum(len(line) + 1 for line in lines)
        first = marks.base + begin
        return LogSlice([_decode(line) for line in lines], first, first + taken, lost)

    def _read_marks(self) -> _Marks:
        if not self._marks_file.exists():
            return _Marks()
        base, start = self._marks_file.read_text().split()
        return _Marks(int(base), int(start))

    def _write_marks(self, marks: _Marks) -> None:
        fresh = self._marks_file.with_suffix(".new")
        fresh.write_text(f"{marks.base} {marks.start}\n")
        fresh.replace(self._marks_file)


def _after_line(descriptor: int, offset: int) -> int:
    """Return where the first line begins after an offset; the offset when there is no end of line near it."""
    end = os.pread(descriptor, _BLOCK_BYTES, offset).find(b"\n")
    return offset + end + 1


def _punch(descriptor: int, length: int) -> bool:
    """Give the beginning of a file back to the file system; False where that is not possible."""
    if not sys.platform.startswith("linux"):
        return False
    library = ctypes.CDLL(None, use_errno=True)
    if library.fallocate(descriptor, _KEEP_SIZE_PUNCH_HOLE, ctypes.c_int64(0), ctypes.c_int64(length)) == 0:
        return True
    number = ctypes.get_errno()
    if number in (errno.EOPNOTSUPP, errno.ENOSYS):
        return False
    raise OSError(number, os.strerror(number))


def _find_last(descriptor: int, count: int, *, start: int, size: int) -> int:
    """Return where the last `count` lines begin, not before `start` nor further back than a slice reaches."""
    floor = max(start, size - _MAX_SLICE_BYTES)
    offset, found = size, -1  # the end of the last line does not begin a line
    while offset > floor:
        block_start = max(floor, offset - _BLOCK_BYTES)
        block = os.pread(descriptor, offset - block_start, block_start)
        at = len(block)
        while (at := block.rfind(b"\n", 0, at)) >= 0:
            found += 1
            if found == count:
                return block_start + at + 1
        offset = block_start
    return start if floor == start else _after_line(descriptor, floor)


def _decode(line: bytes) -> str:
    return line[:_ROW_BYTES].decode(errors="replace").rstrip("\r")

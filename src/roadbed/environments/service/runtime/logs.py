"""What a workload prints, kept on disk within a quota.

The process appends to `current.log` for as long as it lives. When that holds half of the quota, it is copied to
`previous.log` and emptied. Positions count all bytes ever printed; `base` holds those before `current.log`.
"""

import os
from dataclasses import dataclass
from pathlib import Path

import structlog

from roadbed.kit.text import filesize

log = structlog.get_logger(__name__)

_ROW_BYTES = 16_384


@dataclass(frozen=True)
class LogSlice:
    """Lines from a position on: `next_position` is that of the following ones, `lost_bytes` are gone before them."""

    lines: list[str]
    next_position: int
    lost_bytes: int


class InstanceLog:
    """The log of one instance.

    Args:
        folder: for its files.
        quota_bytes: what may be kept.
    """

    def __init__(self, folder: Path, *, quota_bytes: int) -> None:
        self._folder = folder
        self._half = max(quota_bytes // 2, 1024)
        self._quota = quota_bytes
        self.path = folder / "current.log"

    def open(self) -> Path:
        """Make the folder, and return the file that a process appends to."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        return self.path

    def say(self, text: str) -> None:
        """Add a line of the runtime's own."""
        with self.open().open("ab") as file:
            file.write(f"[roadbed] {text}\n".encode())

    def rotate(self) -> None:
        """Keep the log within its quota. What is printed between the copy and the emptying is lost."""
        try:
            size = self.path.stat().st_size
        except FileNotFoundError:
            return
        if size <= self._half:
            return
        try:
            self._copy(size)
        except OSError as error:
            log.warning("environments.log_not_kept", path=str(self.path), error=str(error))
        os.truncate(self.path, 0)
        (self._folder / "base").write_text(str(self._base() + size))

    def _copy(self, size: int) -> None:
        dropped = max(0, size - self._half)
        fresh = self._folder / "previous.new"
        with self.path.open("rb") as source, fresh.open("wb") as target:
            source.seek(dropped)
            target.write(source.read(self._half))
        fresh.replace(self._folder / "previous.log")
        if dropped:
            log.warning(
                "environments.log_dropped",
                path=str(self.path),
                dropped_bytes=dropped,
                hint=f"more than {filesize(self._quota)} at once; see ROADBED_ENVIRONMENTS__LOG_BYTES",
            )

    def read(self, *, position: int | None = None, limit: int) -> LogSlice:
        """Return whole lines.

        Args:
            position: where to begin; None gives the last lines.
            limit: at most so many lines.
        """
        kept, start = self._kept()
        end = kept.rfind(b"\n") + 1
        if position is None:
            lines = kept[:end].split(b"\n")[:-1][-limit:]
            return LogSlice(_decode(lines), start + end, 0)
        lost = max(0, start - position)
        offset = min(max(0, position - start), end)
        lines = kept[offset:end].split(b"\n")[:-1][:limit]
        return LogSlice(_decode(lines), start + offset + sum(len(line) + 1 for line in lines), lost)

    def _kept(self) -> tuple[bytes, int]:
        """Return all bytes that are kept, and the position of the first of them."""
        previous = _read(self._folder / "previous.log")
        return previous + _read(self.path), self._base() - len(previous)

    def _base(self) -> int:
        return int(_read(self._folder / "base") or b"0")


def _read(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _decode(lines: list[bytes]) -> list[str]:
    return [line[:_ROW_BYTES].decode(errors="replace").rstrip("\r") for line in lines]

"""Content-addressed storage in a folder: bytes are written once under their SHA-256, and checked when they are read.

A blob becomes visible whole or not at all, also after a power cut: it is written beside its place, forced to disk and
renamed. What a blob means is its user's business, who also says which are still needed.
"""

import hashlib
import os
import re
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import BinaryIO

from roadbed.core.db import ReadSession
from roadbed.core.errors import NotFound, TooLarge, Unavailable
from roadbed.core.extension import ContributionKind, Slot
from roadbed.kit.text import filesize

_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_CHUNK_BYTES = 1 << 20


class BlobNotFound(NotFound):
    code = "blobs.not_found"


class BlobDamaged(Unavailable):
    """The bytes on disk are not those that were written."""

    code = "blobs.damaged"


class BlobTooLarge(TooLarge):
    code = "blobs.too_large"


@dataclass(frozen=True)
class Blob:
    """What was stored: `sha256:…` and its size."""

    digest: str
    size_bytes: int


@dataclass(frozen=True)
class StoredBlob:
    """A blob in the folder. `written_at` is the last time that somebody stored these bytes."""

    digest: str
    size_bytes: int
    written_at: datetime


@dataclass(frozen=True)
class BlobUser:
    """Knows which blobs are still needed; what no user names is deleted after a while."""

    name: str
    list_digests: Callable[[ReadSession], Awaitable[set[str]]]


BLOB_USERS: Slot[BlobUser] = Slot(ContributionKind.BLOB_USER, BlobUser)


class BlobWriter:
    """A blob while it is written; used as a binary file."""

    def __init__(self, file: BinaryIO, limit_bytes: int) -> None:
        self._file = file
        self._limit_bytes = limit_bytes
        self._hash = hashlib.sha256()
        self._size_bytes = 0

    def write(self, data: bytes) -> int:
        """Append bytes.

        Raises:
            BlobTooLarge: there are too many of them.
        """
        self._size_bytes += len(data)
        if self._size_bytes > self._limit_bytes:
            raise BlobTooLarge(
                f"What was to be stored has more than {filesize(self._limit_bytes)}.",
                hint="Make it smaller, or raise the limit in the settings.",
            )
        self._hash.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    @property
    def blob(self) -> Blob:
        """What has been written until now."""
        return Blob(f"sha256:{self._hash.hexdigest()}", self._size_bytes)


class BlobReader:
    """A blob while it is read. The last read checks all that came before."""

    def __init__(self, file: BinaryIO, digest: str) -> None:
        self._file = file
        self._digest = digest
        self._hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        """Return up to `size` bytes, all that is left when it is negative.

        Raises:
            BlobDamaged: at the end, when the content is not what it should be.
        """
        data = self._file.read(size)
        self._hash.update(data)
        if (size < 0 or (not data and size)) and f"sha256:{self._hash.hexdigest()}" != self._digest:
            raise BlobDamaged(
                f"The blob {self._digest} is damaged on disk.",
                hint="Look at the disk, then restore the folder `blobs` of the home folder from a backup.",
            )
        return data

    def finish(self) -> None:
        """Read what is left, so that everything has been checked."""
        while self.read(_CHUNK_BYTES):
            pass


class BlobStore:
    """The blobs of one installation.

    Args:
        folder: where they are; made on first use, for this account only.
        max_bytes: a larger blob is refused.
    """

    def __init__(self, folder: Path, *, max_bytes: int) -> None:
        self._folder = folder / "sha256"
        self._max_bytes = max_bytes

    @contextmanager
    def write(self) -> Iterator[BlobWriter]:
        """Give a writer; its content is stored when the block ends without an error."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=self._folder, prefix=".new-")
        scratch = Path(name)
        try:
            with os.fdopen(descriptor, "wb") as file:
                writer = BlobWriter(file, self._max_bytes)
                yield writer
                file.flush()
                os.fsync(file.fileno())
            target = self._path(writer.blob.digest)
            target.parent.mkdir(mode=0o700, exist_ok=True)
            scratch.chmod(0o400)
            scratch.replace(target)
            for folder in (target.parent, self._folder):
                _sync_folder(folder)
        finally:
            scratch.unlink(missing_ok=True)

    def put(self, data: bytes) -> Blob:
        """Store bytes that are in memory."""
        with self.write() as writer:
            writer.write(data)
        return writer.blob

    @contextmanager
    def open(self, digest: str) -> Iterator[BlobReader]:
        """Give a reader, which checks what it reads.

        Raises:
            BlobNotFound: there is none of this digest.
        """
        try:
            file = self._path(digest).open("rb")
        except FileNotFoundError:
            raise _not_found(digest) from None
        with file:
            yield BlobReader(file, digest)

    def read(self, digest: str) -> bytes:
        """Return a whole blob, checked.

        Raises:
            BlobNotFound, BlobDamaged.
        """
        with self.open(digest) as reader:
            return reader.read()

    def remove(self, digest: str) -> None:
        """Delete a blob; it may be gone already."""
        self._path(digest).unlink(missing_ok=True)

    def remove_older(self, digest: str, *, before: datetime) -> bool:
        """Delete a blob, unless it was written again since a time. Returns whether it did."""
        path = self._path(digest)
        try:
            if path.stat().st_mtime >= before.timestamp():
                return False
            path.unlink()
        except FileNotFoundError:
            return False
        return True

    def list_all(self) -> list[StoredBlob]:
        """List the blobs, by digest."""
        found = []
        for file in sorted(self._folder.glob("??/*")):
            with suppress(FileNotFoundError):  # removed since the folder was read
                status = file.stat()
                written_at = datetime.fromtimestamp(status.st_mtime, UTC)
                found.append(StoredBlob(f"sha256:{file.name}", status.st_size, written_at))
        return found

    def sweep(self) -> None:
        """Delete what a killed server was writing. Only at start, before anything is written."""
        for scratch in self._folder.glob(".new-*"):
            scratch.unlink(missing_ok=True)

    def _path(self, digest: str) -> Path:
        found = _DIGEST.fullmatch(digest)
        if found is None:
            raise _not_found(digest)
        return self._folder / found[1][:2] / found[1]


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _not_found(digest: str) -> BlobNotFound:
    return BlobNotFound(f"There is no blob {digest[:100]}.", hint="It may have been deleted, or never stored.")

"""A folder as a layer, and back.

Packing is deterministic: sorted names, no times, no owners, plain modes. Both ways distrust the content: it was made by
a pipeline's code, and the server that packs and unpacks it may be root.
"""

import gzip
import hashlib
import os
import shutil
import stat
import tarfile
import tempfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

from roadbed.artifacts.errors import ArtifactInvalid
from roadbed.artifacts.rules import ROOT, check_link, check_path
from roadbed.core.blobs import Blob, BlobStore
from roadbed.kit.text import filesize

MAX_FILES = 200_000
MAX_HEADER_BYTES = 64_000
"""What the archive may hold between two files: a path and a link are 4,096 bytes each at the most."""
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class PackedTree:
    """A stored layer; `diff_id` is the digest of its archive before compression."""

    layer: Blob
    diff_id: str
    size_bytes: int
    file_count: int


class _Gauge:
    """Hands on what is read, up to a limit that whoever reads moves on: headers are read whole into memory."""

    def __init__(self, source: gzip.GzipFile) -> None:
        self._source = source
        self._left_bytes = 0

    def allow(self, size_bytes: int) -> None:
        """Let the content of a file be read, and the headers of the next one."""
        blocks = -(-size_bytes // tarfile.BLOCKSIZE)
        self._left_bytes = blocks * tarfile.BLOCKSIZE + MAX_HEADER_BYTES + tarfile.RECORDSIZE

    def read(self, size_bytes: int) -> bytes:
        data = self._source.read(size_bytes)
        self._left_bytes -= len(data)
        if self._left_bytes < 0:
            raise ArtifactInvalid(f"The archive has a header of more than {filesize(MAX_HEADER_BYTES)}.")
        return data


class _HashingFile:
    """Hands on what is written, and remembers its digest."""

    def __init__(self, target: gzip.GzipFile) -> None:
        self._target = target
        self._hash = hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._hash.update(data)
        return self._target.write(data)

    @property
    def digest(self) -> str:
        return f"sha256:{self._hash.hexdigest()}"


def pack(folder: Path, blobs: BlobStore, *, max_bytes: int) -> PackedTree:
    """Store a folder as a layer.

    Raises:
        ArtifactInvalid: it is empty or too large, or holds links that lead out of it, devices or pipes.
    """
    size_bytes = file_count = 0
    with blobs.write() as writer, gzip.GzipFile("", "wb", 1, cast("BinaryIO", writer), mtime=0) as packed:
        hashing = _HashingFile(packed)
        with tarfile.open(fileobj=cast("BinaryIO", hashing), mode="w|", format=tarfile.PAX_FORMAT) as archive:
            for path, name in _walk(folder, PurePosixPath()):
                size_bytes += _add(archive, path, name)
                file_count += 1
                if size_bytes > max_bytes or file_count > MAX_FILES:
                    raise ArtifactInvalid(
                        f"What was built has more than {filesize(max_bytes)} or {MAX_FILES:,} files.",
                        hint="Leave out what is not needed to run it, or raise ROADBED_ARTIFACTS__MAX_BYTES.",
                    )
    if not file_count:
        raise ArtifactInvalid("What was built is an empty folder.", hint="Look at what the build leaves behind.")
    return PackedTree(writer.blob, hashing.digest, size_bytes, file_count)


def _walk(folder: Path, inside: PurePosixPath) -> Iterator[tuple[Path, PurePosixPath]]:
    with os.scandir(folder) as entries:
        listed = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    for entry in listed:
        name = inside / entry.name
        yield Path(entry.path), name
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path), name)


def _add(archive: tarfile.TarFile, path: Path, name: PurePosixPath) -> int:
    """Add one entry and return its size."""
    status = path.lstat()
    entry = tarfile.TarInfo(f"{ROOT}/{name}")
    if stat.S_ISDIR(status.st_mode):
        entry.type, entry.mode = tarfile.DIRTYPE, 0o755
    elif stat.S_ISLNK(status.st_mode):
        entry.type, entry.mode, entry.linkname = tarfile.SYMTYPE, 0o777, str(path.readlink())
        check_link(name, entry.linkname)
    elif stat.S_ISREG(status.st_mode):
        return _add_file(archive, path, entry)
    else:
        raise ArtifactInvalid(
            f"{name} is neither a file, a folder nor a link.", hint="Leave pipes, sockets and devices out of the build."
        )
    archive.addfile(entry)
    return 0


def _add_file(archive: tarfile.TarFile, path: Path, entry: tarfile.TarInfo) -> int:
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        status = os.fstat(file.fileno())
        entry.size = status.st_size
        entry.mode = 0o755 if status.st_mode & 0o111 else 0o644
        archive.addfile(entry, file)
    return entry.size


def unpack(blobs: BlobStore, layer: str, folder: Path, *, max_bytes: int) -> None:
    """Write a layer into a folder that does not exist yet; all of it is read-only.

    The folder appears whole or not at all. One that exists already is left as it is: digests do not change.

    Raises:
        ArtifactInvalid: the layer is no archive, or holds something that leads out of it.
        BlobNotFound, BlobDamaged.
    """
    if folder.is_dir():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name[:80]}-"))
    try:
        with blobs.open(layer) as reader:
            try:
                with gzip.GzipFile(fileobj=cast("BinaryIO", reader), mode="rb") as plain:
                    _extract(plain, scratch, max_bytes)
            except (zlib.error, gzip.BadGzipFile, EOFError, tarfile.TarError) as error:
                reader.finish()  # it says so where the disk is to blame
                raise ArtifactInvalid(f"The layer {layer} cannot be unpacked: {error}.") from error
            reader.finish()
        _close(scratch)
        try:
            scratch.rename(folder)
        except OSError:
            if not folder.is_dir():  # else somebody else unpacked the same
                raise
    finally:
        if scratch.exists():
            remove_unpacked(scratch)


def _extract(plain: gzip.GzipFile, folder: Path, max_bytes: int) -> None:
    links: set[PurePosixPath] = set()
    left_bytes, left_files = max_bytes, MAX_FILES
    gauge = _Gauge(plain)
    gauge.allow(0)
    with tarfile.open(fileobj=cast("BinaryIO", gauge), mode="r|") as archive:
        for entry in archive:
            path = check_path(entry.name)
            left_bytes, left_files = left_bytes - entry.size, left_files - 1
            if left_bytes < 0 or left_files < 0 or entry.size < 0:
                raise ArtifactInvalid(f"The artifact unpacks to more than {filesize(max_bytes)}.")
            gauge.allow(entry.size)
            if any(parent in links for parent in (path, *path.parents)):
                raise ArtifactInvalid(f"The archive writes {path} through a link.")
            if entry.issym():
                check_link(path, entry.linkname)
                links.add(path)
                (folder / path).symlink_to(entry.linkname)
            elif entry.isdir():
                (folder / path).mkdir()
            elif entry.isreg():
                _write(archive, entry, folder / path)
            else:
                raise ArtifactInvalid(f"The archive holds {path}, which is neither a file, a folder nor a link.")


def _write(archive: tarfile.TarFile, entry: tarfile.TarInfo, target: Path) -> None:
    content = archive.extractfile(entry)
    assert content is not None
    mode = 0o555 if entry.mode & 0o111 else 0o444
    descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(file.fileno(), mode)
        shutil.copyfileobj(content, file, _CHUNK_BYTES)


def _close(folder: Path) -> None:
    for root, _, _ in os.walk(folder, topdown=False):
        Path(root).chmod(0o555)


def remove_unpacked(folder: Path) -> None:
    """Delete what `unpack` wrote, which is read-only."""
    for root, _, _ in os.walk(folder):
        Path(root).chmod(0o755)
    shutil.rmtree(folder)

"""A folder becomes a layer and a folder again; what would lead out of it is refused on both ways."""

import gzip
import io
import os
import tarfile
from pathlib import Path

import pytest

from roadbed.artifacts.errors import ArtifactInvalid
from roadbed.artifacts.service.trees import MAX_HEADER_BYTES, pack, remove_unpacked, unpack
from roadbed.core.blobs import BlobDamaged, BlobStore

MAX_BYTES = 1_000_000


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs", max_bytes=MAX_BYTES)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    folder = tmp_path / "tree"
    (folder / "lib" / "deep").mkdir(parents=True)
    (folder / "lib" / "deep" / "größe.py").write_text("x = 1\n")
    (folder / "empty").mkdir()
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o4755)
    (folder / "current").symlink_to("lib/deep")
    (folder / "lib" / "up").symlink_to("../run")
    return folder


def describe(folder: Path) -> dict[str, tuple[str, bytes | str]]:
    found: dict[str, tuple[str, bytes | str]] = {}
    for path in folder.rglob("*"):
        name = str(path.relative_to(folder))
        if path.is_symlink():
            found[name] = ("link", str(path.readlink()))
        elif path.is_dir():
            found[name] = ("folder", "")
        else:
            found[name] = ("program" if path.stat().st_mode & 0o100 else "file", path.read_bytes())
    return found


def make_layer(blobs: BlobStore, *entries: tarfile.TarInfo, data: bytes = b"evil") -> str:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for entry in entries:
            entry.size = len(data) if entry.isreg() else 0
            archive.addfile(entry, io.BytesIO(data))
    return blobs.put(gzip.compress(buffer.getvalue(), mtime=0)).digest


def make_entry(name: str, type_: bytes = tarfile.REGTYPE, target: str = "", **header: str) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.pax_headers = type_, target, header
    return entry


def test_tree_is_unpacked_equal_and_read_only(blobs: BlobStore, tree: Path, tmp_path: Path) -> None:
    packed = pack(tree, blobs, max_bytes=MAX_BYTES)
    target = tmp_path / "out" / "tree"
    unpack(blobs, packed.layer.digest, target, max_bytes=MAX_BYTES)
    assert describe(target) == describe(tree)
    assert all(not path.lstat().st_mode & 0o6222 for path in (target, *target.rglob("*")) if not path.is_symlink())
    assert packed.file_count == 7
    assert [path.name for path in target.parent.iterdir()] == ["tree"]
    remove_unpacked(target)
    assert not target.exists()


def test_same_content_has_the_same_digest(blobs: BlobStore, tree: Path) -> None:
    first = pack(tree, blobs, max_bytes=MAX_BYTES)
    for path in tree.rglob("*"):
        os.utime(path, (1, 1), follow_symlinks=False)
    assert pack(tree, blobs, max_bytes=MAX_BYTES) == first
    (tree / "run").write_text("#!/bin/sh\nexit 1\n")
    assert pack(tree, blobs, max_bytes=MAX_BYTES).layer != first.layer


@pytest.mark.parametrize("target", ["/etc/passwd", "../outside", "lib/../../outside", "../tree/run"])
def test_link_out_of_the_tree_is_refused(blobs: BlobStore, tree: Path, target: str) -> None:
    (tree / "leak").symlink_to(target)
    with pytest.raises(ArtifactInvalid, match="outside the tree"):
        pack(tree, blobs, max_bytes=MAX_BYTES)


def test_pipe_too_many_bytes_and_nothing_are_refused(blobs: BlobStore, tree: Path, tmp_path: Path) -> None:
    with pytest.raises(ArtifactInvalid, match="more than 5 B"):
        pack(tree, blobs, max_bytes=5)
    os.mkfifo(tree / "pipe")
    with pytest.raises(ArtifactInvalid, match="pipe is neither"):
        pack(tree, blobs, max_bytes=MAX_BYTES)
    (tmp_path / "nothing").mkdir()
    with pytest.raises(ArtifactInvalid, match="empty folder"):
        pack(tmp_path / "nothing", blobs, max_bytes=MAX_BYTES)


HOSTILE = {
    "absolute": [make_entry("/app/evil")],
    "climbing": [make_entry("app/../../evil")],
    "beside": [make_entry("elsewhere/evil")],
    "through a link": [make_entry("app/link", tarfile.SYMTYPE, "lib"), make_entry("app/link/evil")],
    "over a link": [make_entry("app/link", tarfile.SYMTYPE, "lib"), make_entry("app/link")],
    "link out": [make_entry("app/link", tarfile.SYMTYPE, "../../evil")],
    "hard link": [make_entry("app/link", tarfile.LNKTYPE, "/etc/passwd")],
    "device": [make_entry("app/device", tarfile.CHRTYPE)],
    "long header": [make_entry("app/evil", comment="x" * (MAX_HEADER_BYTES + 20_000))],
    "long header behind a file": [make_entry("app/file"), make_entry("app/evil", comment="x" * 2 * MAX_HEADER_BYTES)],
    "less than nothing": [make_entry("app/evil", size="-1")],
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_archive_leaves_nothing(blobs: BlobStore, tmp_path: Path, name: str) -> None:
    layer = make_layer(blobs, *HOSTILE[name])
    with pytest.raises(ArtifactInvalid):
        unpack(blobs, layer, tmp_path / "out" / "tree", max_bytes=MAX_BYTES)
    assert list((tmp_path / "out").iterdir()) == []
    assert not list(tmp_path.rglob("evil"))


def test_archive_that_unpacks_to_too_much_is_refused(blobs: BlobStore, tmp_path: Path) -> None:
    layer = make_layer(blobs, make_entry("app/bomb"), data=b"\0" * (2 * MAX_BYTES))
    with pytest.raises(ArtifactInvalid, match="unpacks to more than"):
        unpack(blobs, layer, tmp_path / "out" / "tree", max_bytes=MAX_BYTES)


@pytest.mark.parametrize("place", [4, 20, 60, -6])
def test_damaged_layer_is_not_unpacked(blobs: BlobStore, tree: Path, tmp_path: Path, place: int) -> None:
    packed = pack(tree, blobs, max_bytes=MAX_BYTES)
    (file,) = (tmp_path / "blobs" / "sha256").glob("*/*")
    data = bytearray(file.read_bytes())
    data[place] ^= 1  # the fourth, a byte of gzip's header, says nothing of the content
    file.chmod(0o600)
    file.write_bytes(data)
    with pytest.raises(BlobDamaged):
        unpack(blobs, packed.layer.digest, tmp_path / "out" / "tree", max_bytes=MAX_BYTES)
    assert list((tmp_path / "out").iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"no archive", b"x" * 2000])
@pytest.mark.parametrize("is_cut", [False, True])
def test_layer_that_is_no_archive_is_refused(blobs: BlobStore, tmp_path: Path, content: bytes, is_cut: bool) -> None:
    layer = blobs.put(gzip.compress(content)[:-9] if is_cut else content).digest
    with pytest.raises(ArtifactInvalid, match="cannot be unpacked"):
        unpack(blobs, layer, tmp_path / "out" / "tree", max_bytes=MAX_BYTES)

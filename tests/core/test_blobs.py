"""The blob store: what is written is found under its digest, whole and checked."""

import contextlib
import hashlib
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from roadbed.core.blobs import BlobDamaged, BlobNotFound, BlobStore, BlobTooLarge


@pytest.fixture
def blobs(tmp_path: Path) -> BlobStore:
    return BlobStore(tmp_path / "blobs", max_bytes=10_000)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=30, deadline=None)
@given(data=st.binary(max_size=2000))
def test_blob_is_read_as_it_was_written(blobs: BlobStore, data: bytes) -> None:
    blob = blobs.put(data)
    assert blob.digest == "sha256:" + hashlib.sha256(data).hexdigest()
    assert blob.size_bytes == len(data)
    assert blobs.read(blob.digest) == data


def test_damaged_blob_is_refused(blobs: BlobStore, tmp_path: Path) -> None:
    blob = blobs.put(b"as it was")
    (file,) = [path for path in tmp_path.rglob("*") if path.is_file()]
    file.chmod(0o600)
    file.write_bytes(b"as it is!")
    with pytest.raises(BlobDamaged, match="is damaged on disk"):
        blobs.read(blob.digest)
    with blobs.open(blob.digest) as reader, pytest.raises(BlobDamaged):
        reader.finish()


def test_too_large_or_interrupted_write_leaves_nothing(blobs: BlobStore, tmp_path: Path) -> None:
    with pytest.raises(BlobTooLarge):
        blobs.put(b"x" * 10_001)
    with contextlib.suppress(KeyError), blobs.write() as writer:
        writer.write(b"half")
        raise KeyError
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_store_keeps_files_to_its_own_account(blobs: BlobStore, tmp_path: Path) -> None:
    blobs.put(b"mine")
    for path in (tmp_path / "blobs" / "sha256").rglob("*"):
        assert not path.stat().st_mode & 0o077


@pytest.mark.parametrize(
    "digest", ["sha256:" + "0" * 64, "sha256:../../etc/passwd", "", "sha1:abc", "sha256:" + "A" * 64]
)
def test_unknown_blob_is_not_found(blobs: BlobStore, digest: str) -> None:
    with pytest.raises(BlobNotFound):
        blobs.read(digest)
    blob = blobs.put(b"to go")
    blobs.remove(blob.digest)
    blobs.remove(blob.digest)
    with pytest.raises(BlobNotFound):
        blobs.read(blob.digest)


def test_sweep_removes_what_a_killed_server_was_writing(blobs: BlobStore, tmp_path: Path) -> None:
    kept = blobs.put(b"kept")
    (tmp_path / "blobs" / "sha256" / ".new-abc").write_bytes(b"half")
    blobs.sweep()
    assert not list(tmp_path.rglob(".new-*"))
    assert blobs.read(kept.digest) == b"kept"

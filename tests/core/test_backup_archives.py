"""Archives that are no backups: hostile ones are refused before anything is written."""

import gzip
import io
import json
import tarfile
from pathlib import Path

import pytest

from roadbed.core.backup import FORMAT, MANIFEST, NotABackup, restore
from roadbed.core.settings import Settings

pytestmark = pytest.mark.anyio
SOUND = json.dumps({"format": FORMAT, "folders": []}).encode()
Entry = tuple[str, bytes, str]


def write_archive(*entries: Entry, manifest: bytes = SOUND) -> bytes:
    """Return an archive of a manifest and entries: name, type, target of a link."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        head = tarfile.TarInfo(MANIFEST)
        head.size = len(manifest)
        archive.addfile(head, io.BytesIO(manifest))
        for name, type_, target in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = type_, target
            entry.size = 4 if type_ == tarfile.REGTYPE else 0
            archive.addfile(entry, io.BytesIO(b"evil") if entry.size else None)
    return buffer.getvalue()


FILE, LINK, HARD = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE
HOSTILE: dict[str, bytes] = {
    "climbing": write_archive(("repositories/../../evil", FILE, "")),
    "absolute": write_archive(("/evil", FILE, "")),
    "link out": write_archive(("blobs", LINK, "../..")),
    "absolute link": write_archive(("blobs", LINK, "/etc")),
    "through a link": write_archive(("folder", tarfile.DIRTYPE, ""), ("a", LINK, "folder"), ("a/evil", FILE, "")),
    "over a link": write_archive(("a", LINK, "b"), ("a", FILE, "")),
    "hard link out": write_archive(("passwd", HARD, "/etc/passwd")),
    "hard link climbing": write_archive(("passwd", HARD, "../../passwd")),
    "device": write_archive(("zero", tarfile.CHRTYPE, "")),
    "pipe": write_archive(("pipe", tarfile.FIFOTYPE, "")),
    "bomb": gzip.compress(write_archive() + b"\0" * 50_000_000),
    "endless manifest": write_archive(manifest=b"[" * 2_000_000),
    "other manifest": write_archive(manifest=b"[1]"),
    "no manifest": b"\0" * 10_240,
    "no archive": b"PK\x03\x04",
}


@pytest.mark.parametrize("name", HOSTILE)
async def test_hostile_archive_is_refused_and_writes_nothing(tmp_path: Path, name: str) -> None:
    file, home = tmp_path / "in" / "backup.tar", tmp_path / "out" / "home"
    file.parent.mkdir()
    file.write_bytes(HOSTILE[name])
    home.parent.mkdir()
    with pytest.raises(NotABackup):
        await restore(Settings(home=home), file, folders=())
    assert list(home.parent.iterdir()) == []
    assert not list(tmp_path.rglob("evil"))

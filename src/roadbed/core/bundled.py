"""Files that Roadbed ships beside its code: golden paths and the sample organisation.

In an installed package they lie in `roadbed/bundled`; in a checkout they are the folders of its root. Golden paths are
one archive in the package, because pip would compile the Python files of their skeletons.
"""

import tarfile
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

_MADE = {"__pycache__", ".mypy_cache", ".pytest_cache", ".ruff_cache", ".venv", ".git"}
"""Folders that tools leave behind in a checkout."""


@dataclass(frozen=True)
class BundledFile:
    """A file as it was shipped."""

    data: bytes
    is_executable: bool


def bundled(name: str) -> Path:
    """Return the folder `name` (`examples`) that came with this Roadbed, as it lies on disk."""
    package = Path(str(files("roadbed")))
    installed = package / "bundled" / name
    return installed if installed.is_dir() else package.parent.parent / name


def read_bundled(name: str) -> dict[str, BundledFile]:
    """Return all files below the folder `name` (`paths`) that came with this Roadbed, by path."""
    archive = Path(str(files("roadbed"))) / "bundled" / f"{name}.tar"
    return read_archive(archive) if archive.is_file() else read_folder(bundled(name))


def read_folder(folder: Path) -> dict[str, BundledFile]:
    """Return the files below a folder of a checkout, without what tools left behind."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if path.is_file() and not _MADE & set(name.parts):
            found[name.as_posix()] = BundledFile(path.read_bytes(), bool(path.stat().st_mode & 0o100))
    return found


def read_archive(path: Path) -> dict[str, BundledFile]:
    """Return the files of an archive that `write_archive` made."""
    found = {}
    with tarfile.open(path) as archive:
        for member in archive:
            content = archive.extractfile(member)
            if content is not None:
                found[member.name] = BundledFile(content.read(), bool(member.mode & 0o100))
    return found


def write_archive(folder: Path, path: Path) -> None:
    """Pack the files below a folder; the same files give the same bytes."""
    with tarfile.open(path, "w", format=tarfile.PAX_FORMAT) as archive:
        for name, file in read_folder(folder).items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(file.data), 0o755 if file.is_executable else 0o644
            with (folder / name).open("rb") as content:
                archive.addfile(member, content)

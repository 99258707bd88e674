"""The workspace of a run: layers of files, one for each call of an action, merged when they are read.

A call that is repeated after a crash replaces its own layer only, so half-written files never mix with whole ones.
"""

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from roadbed.core.home import Home
from roadbed.core.services import Services
from roadbed.core.templating import TemplateFailed
from roadbed.goldenpaths.types import Layer
from roadbed.scm.contract import FileContent, load_folder

FOLDER = "goldenpaths"
LIMIT_BYTES = 100_000_000
LIMIT_FILES = 10_000


def workspaces_folder(services: Services) -> Path:
    """Return the folder that holds the workspaces of all runs."""
    return services.get(Home).folder(FOLDER)


class LayeredWorkspace:
    """Implements `types.Workspace` in a folder, which is made when the first layer is."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def has_layer(self, name: str) -> bool:
        return (self._folder / name).is_dir()

    async def add_layer(
        self, name: str, fill: Callable[[Path], None], *, target: str = "", is_replacing: bool = False
    ) -> Layer:
        return await asyncio.to_thread(self._add, name, fill, target, is_replacing)

    async def read(self) -> dict[str, FileContent]:
        return await asyncio.to_thread(self._read)

    async def remove(self) -> None:
        await asyncio.to_thread(shutil.rmtree, self._folder, ignore_errors=True)

    def _add(self, name: str, fill: Callable[[Path], None], target: str, is_replacing: bool) -> Layer:  # noqa: FBT001 - a thread's positional arguments
        fresh, final = self._folder / f".{name}", self._folder / name
        shutil.rmtree(fresh, ignore_errors=True)
        (fresh / target).mkdir(parents=True)
        fill(fresh / target)
        earlier = {path for layer in self._layers() if layer.name < name for path in _files(layer)}
        made = _files(fresh)
        kept = [] if is_replacing else sorted(earlier & set(made))
        for path in kept:
            (fresh / path).unlink()
        self._check_size(fresh)
        shutil.rmtree(final, ignore_errors=True)
        fresh.rename(final)
        return Layer(tuple(path for path in made if path not in kept), tuple(kept))

    def _read(self) -> dict[str, FileContent]:
        files: dict[str, FileContent] = {}
        for layer in self._layers():
            files |= load_folder(layer)
        return files

    def _layers(self) -> list[Path]:
        if not self._folder.is_dir():
            return []
        return sorted(entry for entry in self._folder.iterdir() if not entry.name.startswith("."))

    def _check_size(self, fresh: Path) -> None:
        sizes = [(layer / path).lstat().st_size for layer in [*self._layers(), fresh] for path in _files(layer)]
        if len(sizes) > LIMIT_FILES or sum(sizes) > LIMIT_BYTES:
            raise TemplateFailed(
                f"The workspace would hold more than {LIMIT_FILES:,} files or {LIMIT_BYTES:,} bytes.",
                hint="Render less, or fetch large files when they are needed.",
            )


def _files(folder: Path) -> list[str]:
    return sorted(
        path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_symlink() or path.is_file()
    )

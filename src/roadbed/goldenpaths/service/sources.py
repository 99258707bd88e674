"""Reading the files beside a template, from the commit that the run is bound to."""

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.goldenpaths.errors import SourceUnreadable
from roadbed.goldenpaths.rules.plans import resolve_folder
from roadbed.goldenpaths.service.workspace import workspaces_folder
from roadbed.goldenpaths.types import Source
from roadbed.scm.contract import get_repository, read_tree, save_folder


@asynccontextmanager
async def open_source_folder(services: Services, source: Source, url: str) -> AsyncIterator[Path]:
    """Give the folder that a step's `url` names, on disk and to be read only.

    Raises:
        SourceOutside: it lies outside the source.
        SourceUnreadable: there is no such folder.
    """
    path = resolve_folder(source.folder, url)
    async with services.get(Database).read() as session:
        repository = await get_repository(session, *source.repository.split("/", 1))
    files = await read_tree(services, repository, source.commit, path)
    if not files:
        raise SourceUnreadable(
            f"There is no folder {url} in {source.repository} at {source.commit[:12]}.",
            hint="Correct the step's url, or add the folder.",
        )
    folder = Path(tempfile.mkdtemp(prefix=".source-", dir=workspaces_folder(services)))
    try:
        await asyncio.to_thread(save_folder, folder, files)
        yield folder / path
    finally:
        await asyncio.to_thread(shutil.rmtree, folder, ignore_errors=True)

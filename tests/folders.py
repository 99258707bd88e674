"""Folders of tests that PostgreSQL's own account can reach."""

import tempfile
from pathlib import Path


def let_postgres_pass(folder: Path) -> None:
    """Open a folder of this run, and up to four that it is in: pytest makes them for its own account alone.

    The system's folder for temporary ones is never touched: its sticky bit would go.
    """
    system = Path(tempfile.gettempdir()).resolve()
    for one in (folder, *folder.parents[:4]):
        if one.resolve() == system:
            return
        if one.stat().st_mode & 0o055 != 0o055:
            one.chmod(0o755)


def make_home(folder: Path, name: str = "home") -> Path:
    """Make a home folder for a server of its own in a folder of this run."""
    let_postgres_pass(folder)
    home = folder / name
    home.mkdir(mode=0o755)
    return home

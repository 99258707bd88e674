"""Files that Roadbed ships beside its code: golden paths and the sample organisation.

In an installed package they lie in `roadbed/bundled`; in a checkout they are the folders of its root.
"""

from importlib.resources import files
from pathlib import Path


def bundled(name: str) -> Path:
    """Return the folder `name` (`examples`, `paths`) that came with this Roadbed."""
    package = Path(str(files("roadbed")))
    installed = package / "bundled" / name
    return installed if installed.is_dir() else package.parent.parent / name

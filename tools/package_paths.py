"""Put the golden paths into the wheel as one archive: pip compiles each Python file it installs, skeletons too."""

import runpy
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PathsHook(BuildHookInterface):  # type: ignore[type-arg]
    """Hatch calls `initialize` before it builds a wheel and `finalize` when it has."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":  # then they are read from the checkout
            return
        root = Path(self.root)
        bundled = runpy.run_path(str(root / "src" / "roadbed" / "core" / "bundled.py"))  # the package is not installed
        self._folder = tempfile.TemporaryDirectory(prefix="roadbed-paths-")
        archive = Path(self._folder.name) / "paths.tar"
        bundled["write_archive"](root / "paths", archive)
        build_data["force_include"][str(archive)] = "roadbed/bundled/paths.tar"

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatch's
        if version != "editable":
            self._folder.cleanup()

"""Makes the generated files of python-fastapi anew: `python -m tests.paths.refresh`.

The locks and openapi.yaml come out of the service itself. Both variants are rendered, `make lock` and
tools/openapi.py run in each, and the two results are joined into one templated file. Run it to take newer
versions of the dependencies, or after a change of the skeleton's API.
"""

import os
import subprocess
import sys
import tempfile
from difflib import SequenceMatcher
from pathlib import Path

from tests.paths.rendering import PATHS, render_path

GENERATED = ("requirements.txt", "requirements-dev.txt", "openapi.yaml")
NAME = "name-to-be-replaced"


def join(plain: list[str], postgres: list[str]) -> str:
    """Join the lines of the two variants into one template that renders to either."""
    joined: list[str] = []
    for kind, i, j, k, m in SequenceMatcher(None, plain, postgres, autojunk=False).get_opcodes():
        if kind == "equal":
            joined += plain[i:j]
        elif kind == "insert":
            joined += ["{%- if values.postgres %}\n", *postgres[k:m], "{%- endif %}\n"]
        else:
            message = f"Only PostgreSQL may add lines, but these differ: {plain[i:j]} and {postgres[k:m]}"
            raise ValueError(message)
    return "".join(joined).replace(NAME, "${{ values.name }}")


def generate(folder: Path, *, postgres: bool) -> None:
    render_path("python-fastapi", folder, postgres=postgres, name=NAME)
    environment = os.environ | {"UV": str(Path(sys.executable).with_name("uv")), "PYTHONPATH": "src:."}
    commands = (["make", "lock"], ["make", "setup"], [".venv/bin/python", "tools/openapi.py"])
    for command in commands:
        subprocess.run(command, cwd=folder, env=environment, check=True)


def main() -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folders = [Path(temporary) / "plain", Path(temporary) / "postgres"]
        for folder, postgres in zip(folders, (False, True), strict=True):
            generate(folder, postgres=postgres)
        for name in GENERATED:
            plain, postgres_lines = (
                (folder / name).read_text(encoding="utf-8").splitlines(keepends=True) for folder in folders
            )
            target = PATHS / "python-fastapi" / "skeleton" / name
            target.write_text(join(plain, postgres_lines), encoding="utf-8")


if __name__ == "__main__":
    main()

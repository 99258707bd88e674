"""Reading git's unified diffs (`git diff --full-index -M`) into files, hunks and numbered lines."""

import re
from collections.abc import Iterable

from roadbed.scm.types import Diff, DiffLine, FileDiff, Hunk

MAX_FILES = 300
MAX_LINES = 20_000
MAX_LINE_LENGTH = 2_000
_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+(\d+)(?:,\d+)? @@")
_ESCAPE = re.compile(r"\\([0-7]{3}|.)")
_MOVES = {"rename": "renamed", "copy": "copied"}
_LETTERS = {"n": 10, "t": 9, "r": 13, "a": 7, "b": 8, "f": 12, "v": 11, '"': 34, "\\": 92}


class _Reader:
    """Goes through the lines once; `lines_left` keeps a page from growing without end."""

    def __init__(self) -> None:
        self.files: list[FileDiff] = []
        self.is_cut = False
        self.lines_left = MAX_LINES
        self._old = self._new = 0
        self._is_in_hunk = False

    def read(self, line: str) -> None:
        if line.startswith("diff --git "):
            self._begin(line)
        elif not self.files or self.is_cut:
            return
        elif match := _HUNK.match(line):
            self._old, self._new = int(match[1]), int(match[2])
            self._is_in_hunk = True
            self.files[-1].hunks.append(Hunk(line))
        elif self._is_in_hunk:
            self._change(line)
        else:
            self._describe(self.files[-1], line)

    def _begin(self, line: str) -> None:
        if len(self.files) >= MAX_FILES:
            self.is_cut = True
            return
        self._is_in_hunk = False
        self.files.append(FileDiff(_path_of_head(line)))

    def _describe(self, file: FileDiff, line: str) -> None:
        word, _, rest = line.partition(" ")
        if line.startswith(("new file mode", "deleted file mode")):
            file.status = "added" if word == "new" else "removed"
            self._note_mode(file, line.rsplit(" ", 1)[-1])
        elif line.startswith(("rename from ", "copy from ")):
            file.old_path, file.status = _unquote(rest.removeprefix("from ")), _MOVES[word]
        elif line.startswith(("rename to ", "copy to ")):
            file.path = _unquote(rest.removeprefix("to "))
        elif line.startswith("new mode "):
            file.note = "made executable" if line.endswith("755") else "no longer executable"
        elif line.startswith("+++ ") and not line.startswith("+++ /dev/null"):
            file.path = _unquote(rest.rstrip("\t")).removeprefix("b/")
        elif line.startswith("--- ") and not line.startswith("--- /dev/null") and file.status == "removed":
            file.path = _unquote(rest.rstrip("\t")).removeprefix("a/")
        elif line.startswith(("Binary files ", "GIT binary patch")):
            file.note = "Binary file"

    def _note_mode(self, file: FileDiff, mode: str) -> None:
        file.note = {"120000": "symbolic link", "160000": "submodule"}.get(mode)

    def _change(self, line: str) -> None:
        file = self.files[-1]
        sign, text = line[:1], line[1 : MAX_LINE_LENGTH + 1]
        if sign == "\\":
            return
        kind = {"+": "add", "-": "del"}.get(sign, "same")
        file.added += kind == "add"
        file.removed += kind == "del"
        self.lines_left -= 1
        if self.lines_left < 0:
            self.is_cut = True
            return
        old = None if kind == "add" else self._old
        new = None if kind == "del" else self._new
        self._old += kind != "add"
        self._new += kind != "del"
        file.hunks[-1].lines.append(DiffLine(kind, old, new, text))


def parse_diff(lines: Iterable[str], *, is_cut: bool = False) -> Diff:
    """Read a diff, line by line without line ends.

    Args:
        lines: git's output.
        is_cut: it was longer than what is given here.
    """
    reader = _Reader()
    for line in lines:
        reader.read(line)
    for file in reader.files:
        if not file.hunks and file.note is None and file.status in ("added", "removed"):
            file.note = "Empty file"
    return Diff(tuple(reader.files), is_cut or reader.is_cut)


def _path_of_head(line: str) -> str:
    """Return the path in `diff --git a/X b/X`; what has two paths says them again on lines of their own."""
    rest = line.removeprefix("diff --git ")
    if rest.startswith('"'):
        return _unquote(rest[rest.rfind(' "') + 1 :]).removeprefix("b/")
    middle = len(rest) // 2
    return rest[middle + 1 :].removeprefix("b/")


def _unquote(path: str) -> str:
    """Undo git's C-style quoting of paths with special characters."""
    if not (path.startswith('"') and path.endswith('"')):
        return path
    data = bytearray()
    position = 1
    inner = path[:-1]
    while position < len(inner):
        match = _ESCAPE.match(inner, position)
        if match:
            code = match[1]
            data.append(int(code, 8) if len(code) == 3 else _LETTERS.get(code, ord(code)))
            position = match.end()
        else:
            data += inner[position].encode()
            position += 1
    return data.decode("utf-8", "replace")

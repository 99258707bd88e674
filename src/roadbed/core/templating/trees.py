"""Rendering a folder of skeleton files into another folder.

The result depends on the skeleton and the context only. Nothing is read or written outside the two folders: symbolic
links that lead out are refused, and so are names that do after rendering.
"""

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from roadbed.core.templating.limits import TemplateFailed, TemplateLimits

RenderText = Callable[[str, str], str]

_PROBE_BYTES = 8_000


@dataclass(frozen=True, slots=True)
class TreeOptions:
    """How a folder is rendered.

    Args:
        without_templating: patterns (`docs/**`, `*.md`) of files whose content is copied; their names are rendered.
        template_extension: when set, only files with this ending have their content rendered; the ending goes.
        is_replacing: whether files that exist in the target are replaced; otherwise they are left as they are.
    """

    without_templating: tuple[str, ...] = ()
    template_extension: str | None = None
    is_replacing: bool = False


@dataclass(frozen=True, slots=True)
class TreeReport:
    """What was written, and what was left because it existed or because its name was empty."""

    written: tuple[str, ...]
    kept: tuple[str, ...]
    skipped: tuple[str, ...]


@dataclass(slots=True)
class TreeWriter:
    """One rendering of one folder."""

    source: Path
    target: Path
    render: RenderText
    limits: TemplateLimits
    options: TreeOptions
    _written: dict[str, str] = field(default_factory=dict)
    _kept: list[str] = field(default_factory=list)
    _skipped: list[str] = field(default_factory=list)
    _bytes: int = 0

    def write(self) -> TreeReport:
        """Render everything, in the order of names."""
        if not self.source.is_dir():
            raise TemplateFailed(f"The folder {self.source.name} does not exist.", file=self.source.name)
        self.target.mkdir(parents=True, exist_ok=True)
        copied = _compile_patterns(self.options.without_templating)
        for path in _walk(self.source):
            name = path.relative_to(self.source).as_posix()
            self._write_entry(path, name, is_copied=bool(copied and copied.fullmatch(name)))
        return TreeReport(tuple(self._written), tuple(self._kept), tuple(self._skipped))

    def _write_entry(self, path: Path, name: str, *, is_copied: bool) -> None:
        is_folder = path.is_dir() and not path.is_symlink()
        extension = self.options.template_extension
        if extension is not None and not is_folder:
            is_copied = not name.endswith(extension)
            shown = name if is_copied else name.removesuffix(extension)
        else:
            shown = name
        rendered = self.render(shown, f"the name {name}")
        if _is_skipped(rendered):
            self._skipped.append(name)
            return
        destination = self._place(rendered, name)
        if is_folder:
            destination.mkdir(parents=True, exist_ok=True)
            return
        if rendered in self._written:
            raise TemplateFailed(
                f"{name} and {self._written[rendered]} both become {rendered}.",
                hint="Give one of them another name, or make one of them conditional.",
                file=name,
            )
        if os.path.lexists(destination) and not self.options.is_replacing:
            self._kept.append(rendered)
            return
        self._count(path, name)
        destination.parent.mkdir(parents=True, exist_ok=True)
        self._write_file(path, destination, name, is_copied=is_copied)
        self._written[rendered] = name

    def _write_file(self, path: Path, destination: Path, name: str, *, is_copied: bool) -> None:
        if destination.is_symlink():
            destination.unlink()
        if path.is_symlink():
            self._write_link(path, destination, name)
            return
        mode = path.stat().st_mode
        if not stat.S_ISREG(mode):
            raise TemplateFailed(f"{name} is neither a file nor a folder.", hint="Remove it.", file=name)
        data = path.read_bytes()
        text = None if is_copied else _as_text(data)
        destination.write_bytes(data if text is None else self.render(text, name).encode())
        destination.chmod(0o755 if mode & 0o111 else 0o644)

    def _write_link(self, path: Path, destination: Path, name: str) -> None:
        leads_to = path.readlink()
        if leads_to.is_absolute() or not path.resolve().is_relative_to(self.source.resolve()):
            raise TemplateFailed(
                f"The link {name} leads to {leads_to}, outside the skeleton.",
                hint="Replace it by the file that it stands for.",
                file=name,
            )
        if destination.exists():
            destination.unlink()
        destination.symlink_to(leads_to)

    def _place(self, rendered: str, name: str) -> Path:
        """Return where a rendered name goes."""
        parts = PurePosixPath(rendered).parts
        is_unsafe = any(part in {"..", "."} or part.lower() == ".git" for part in rendered.split("/"))
        if is_unsafe or "\0" in rendered or "\n" in rendered or "\\" in rendered:
            raise TemplateFailed(
                f'The name {name} becomes "{rendered}", which may not be written.',
                hint="A name stays inside the folder and does not touch .git.",
                file=name,
            )
        destination = self.target.joinpath(*parts)
        if not destination.parent.resolve().is_relative_to(self.target.resolve()):
            raise TemplateFailed(f"{rendered} lies behind a link that leads outside.", file=name)
        return destination

    def _count(self, path: Path, name: str) -> None:
        self._bytes += path.lstat().st_size
        if len(self._written) >= self.limits.file_count or self._bytes > self.limits.tree_bytes:
            raise TemplateFailed(
                f"The skeleton has more than {self.limits.file_count:,} files or {self.limits.tree_bytes:,} bytes.",
                hint="Leave out generated files, and fetch large ones when they are needed.",
                file=name,
            )


def _walk(folder: Path) -> Iterator[Path]:
    """List all entries below a folder in the order of their names, folders before what is in them."""
    for entry in sorted(os.scandir(folder), key=lambda entry: entry.name):
        yield Path(entry.path)
        if entry.is_dir(follow_symlinks=False):
            yield from _walk(Path(entry.path))


def _is_skipped(rendered: str) -> bool:
    """True for a name of which a part is empty: how templates leave a file or folder out."""
    return any(not part.strip() for part in rendered.split("/"))


def _as_text(data: bytes) -> str | None:
    """Return the text of a file, or None when it is not one."""
    if b"\0" in data[:_PROBE_BYTES]:
        return None
    try:
        return data.decode()
    except UnicodeDecodeError:
        return None


def _compile_patterns(patterns: tuple[str, ...]) -> re.Pattern[str] | None:
    """Return one expression for glob patterns; a pattern that matches a folder matches all in it."""
    if not patterns:
        return None
    return re.compile("|".join(f"(?:{_translate(pattern)}(?:/.*)?)" for pattern in patterns), re.DOTALL)


_GLOB_TOKEN = re.compile(r"\*\*/|\*\*|\*|\?|\[[^]]+\]|\{[^{}]*\}|.", re.DOTALL)


def _translate(pattern: str) -> str:
    return "".join(_translate_token(token) for token in _GLOB_TOKEN.findall(pattern.strip("/").removeprefix("./")))


def _translate_token(token: str) -> str:
    fixed = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if token in fixed:
        return fixed[token]
    if len(token) > 1 and token[0] == "[":
        return "[" + token[1:-1].replace("\\", "\\\\").replace("!", "^", 1 if token[1] == "!" else 0) + "]"
    if len(token) > 1 and token[0] == "{":
        return "(?:" + "|".join(_translate(part) for part in token[1:-1].split(",")) + ")"
    return re.escape(token)

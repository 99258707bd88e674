"""What a mkdocs.yml may ask for.

It was written by whoever may push, and mkdocs would run what it names: hooks, plugins, Python objects. So it is read
here, and mkdocs is given a new one that holds only what is allowed. What could do harm is refused in words; what has no
meaning in Roadbed's own pages, such as a theme, is left out with a note.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import yaml

from roadbed.docs.errors import ConfigRefused
from roadbed.docs.rules.paths import join
from roadbed.docs.types import NavEntry

MAX_BYTES = 200_000
_MAX_NODES = 20_000
_MAX_DEPTH = 20
_MAX_NAV = 4_000
_MAX_NAV_DEPTH = 8
_MAX_TITLE = 200

PLUGINS = frozenset({"techdocs-core", "search"})
"""Those that mkdocs-techdocs-core brings and that work without a network. The search is Roadbed's own."""
EXTENSIONS = frozenset(
    {
        *("abbr", "admonition", "attr_list", "def_list", "extra", "fenced_code", "footnotes", "md_in_html", "meta"),
        *("nl2br", "sane_lists", "smarty", "tables", "toc", "codehilite", "mdx_truly_sane_lists"),
        *(
            f"pymdownx.{name}"
            for name in (
                *("arithmatex", "betterem", "caret", "critic", "details", "emoji", "escapeall", "extra", "highlight"),
                *("inlinehilite", "keys", "magiclink", "mark", "progressbar", "smartsymbols", "superfences"),
                *("tabbed", "tasklist", "tilde", "blocks.admonition", "blocks.details", "blocks.tab"),
            )
        ),
    }
)
_TOOK = frozenset({"site_name", "site_description", "docs_dir", "nav", "markdown_extensions", "plugins"})
_MEANINGLESS = frozenset(
    {
        *("copyright", "dev_addr", "edit_uri", "edit_uri_template", "exclude_docs", "extra", "extra_css"),
        *("extra_javascript", "extra_templates", "google_analytics", "not_in_nav", "draft_docs", "remote_branch"),
        *("remote_name", "repo_name", "repo_url", "site_author", "site_dir", "site_url", "strict", "theme"),
        *("use_directory_urls", "validation", "watch"),
    }
)
_REFUSED = {
    "hooks": "Hooks are Python that mkdocs would run. Leave them out.",
    "INHERIT": "Write what it inherits into this file.",
}
_PLAIN_TAGS = {f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "null", "map", "seq")}
_OWN_OBJECTS = ("material.extensions.emoji.", "materialx.emoji.", "pymdownx.superfences.", "pymdownx.emoji.")
"""Python objects that many files name, for what techdocs-core sets anyway."""


@dataclass(frozen=True)
class SiteConfig:
    """A mkdocs.yml as far as it counts. `extensions` are names with their options, which hold plain values only."""

    site_name: str | None
    docs_dir: str
    nav: list[Any] | None
    extensions: tuple[tuple[str, dict[str, Any]], ...]
    notes: tuple[str, ...]


class _Left:
    """Stands for a Python object that is left out."""


def read_config(content: bytes, *, file: str, folder: str) -> SiteConfig:
    """Read a mkdocs.yml.

    Args:
        content: of the file.
        file: its path, for messages.
        folder: where it is; its `docs_dir` must be below.

    Raises:
        ConfigRefused: it cannot be read, or asks for what is not done.
    """
    data = _load(content, file)
    notes: list[str] = []
    for key in data:
        if key in _REFUSED:
            raise ConfigRefused(f"{file} has {key}, which Roadbed does not do.", hint=_REFUSED[key])
        if key in _MEANINGLESS:
            notes.append(f"{key} is left out: it has no effect in Roadbed's pages.")
        elif key not in _TOOK:
            raise ConfigRefused(
                f"{file} has the key {str(key)[:100]!r}, which Roadbed does not know.",
                hint=f"Leave it out. Known are {', '.join(sorted(_TOOK | _MEANINGLESS))}.",
            )
    _check_plugins(data.get("plugins"), file)
    extensions = tuple(_read_extensions(data.get("markdown_extensions"), file, notes))
    name = data.get("site_name")
    return SiteConfig(
        site_name=str(name)[:_MAX_TITLE] if isinstance(name, (str, int, float)) and str(name).strip() else None,
        docs_dir=_read_docs_dir(data.get("docs_dir"), file, folder),
        nav=_read_nav(data.get("nav"), file),
        extensions=extensions,
        notes=tuple(notes),
    )


def _load(content: bytes, file: str) -> dict[Any, Any]:
    if len(content) > MAX_BYTES:
        raise ConfigRefused(f"{file} has more than {MAX_BYTES:,} bytes.", hint="Make it smaller.")
    try:
        _check_depth(content, file)
        node = yaml.compose(content, Loader=yaml.CSafeLoader)
        data = {} if node is None else _build(node, file)
    except (yaml.YAMLError, ValueError) as error:  # a value may be no text, or a number or date that cannot be
        mark = getattr(error, "problem_mark", None)
        place = f", line {mark.line + 1}" if mark else ""
        said = getattr(error, "problem", None) or str(error)[:100]
        raise ConfigRefused(f"{file}{place} is not YAML: {said}.", hint="Correct the file.") from error
    if not isinstance(data, dict):
        raise ConfigRefused(f"{file} is no mapping.", hint="Begin with site_name.")
    return data


def _check_depth(content: bytes, file: str) -> None:
    """Refuse what is too deep before it is composed, which goes down with it."""
    depth = 0
    for event in yaml.parse(content, Loader=yaml.CSafeLoader):
        depth += isinstance(event, yaml.CollectionStartEvent)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if depth > _MAX_DEPTH:
            raise ConfigRefused(f"{file} is too deep.", hint="Make it flatter.")


def _build(root: yaml.Node, file: str) -> Any:
    """Return plain values of nodes. Aliases count as what they stand for, so that bombs are met before they expand."""
    count = 0

    def build(node: yaml.Node, depth: int) -> Any:
        nonlocal count
        count += 1
        if count > _MAX_NODES or depth > _MAX_DEPTH:
            raise ConfigRefused(f"{file} is too large or too deep.", hint="Make it smaller.")
        if node.tag not in _PLAIN_TAGS and not node.tag.startswith("tag:yaml.org,2002:timestamp"):
            return _read_object(node, file)
        if isinstance(node, yaml.MappingNode):
            return {_key(build(key, depth + 1), file): build(value, depth + 1) for key, value in node.value}
        if isinstance(node, yaml.SequenceNode):
            return [build(item, depth + 1) for item in node.value]
        return yaml.constructor.SafeConstructor().construct_object(node)

    return build(root, 0)


def _key(value: Any, file: str) -> Any:
    if isinstance(value, (dict, list, _Left)):
        raise ConfigRefused(f"{file} has a key that is no text.", hint="Correct the file.")
    return value


def _read_object(node: yaml.Node, file: str) -> _Left:
    tag = node.tag.removeprefix("tag:yaml.org,2002:")
    if tag.startswith("python/name:") and tag.removeprefix("python/name:").startswith(_OWN_OBJECTS):
        return _Left()
    raise ConfigRefused(
        f"{file}, line {node.start_mark.line + 1}, has the tag {tag[:100]!r}, which could run code.",
        hint="Write a plain value.",
    )


def _read_docs_dir(value: Any, file: str, folder: str) -> str:
    text = "docs" if value is None else value
    found = join("", text) if isinstance(text, str) and not text.startswith("/") else None
    if not found or join(folder, found) is None:
        raise ConfigRefused(
            f"{file} has docs_dir: {str(value)[:100]}, which is no folder below it.", hint="Write docs_dir: docs"
        )
    return found


def _items(value: Any, file: str, key: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield names with options from both spellings of mkdocs: a list of names and mappings, or one mapping."""
    entries = list(value.items()) if isinstance(value, dict) else value if isinstance(value, list) else None
    if entries is None:
        raise ConfigRefused(f"{file} has {key} that are no list.", hint="Write a list of names.")
    for entry in entries:
        named = next(iter(entry.items())) if isinstance(entry, dict) and len(entry) == 1 else entry
        name, options = named if isinstance(named, tuple) else (named, None)
        if not isinstance(name, str):
            raise ConfigRefused(f"{file} has {key} with an entry that is no name.", hint="Write a list of names.")
        yield name, options if isinstance(options, dict) else {}


def _check_plugins(value: Any, file: str) -> None:
    for name, _ in _items(value or [], file, "plugins"):
        if name not in PLUGINS:
            raise ConfigRefused(
                f"{file} has the plugin {name[:100]!r}, which Roadbed does not run.",
                hint=f"Leave it out. These are run: {', '.join(sorted(PLUGINS))}.",
            )


def _read_extensions(value: Any, file: str, notes: list[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    for name, options in _items(value or [], file, "markdown_extensions"):
        if name not in EXTENSIONS:
            raise ConfigRefused(
                f"{file} has the Markdown extension {name[:100]!r}, which Roadbed does not run.",
                hint=f"Leave it out. These are run: {', '.join(sorted(EXTENSIONS))}.",
            )
        kept = {key: option for key, option in options.items() if not _holds_object(option)}
        if len(kept) < len(options):
            notes.append(f"Python objects in the options of {name} are left out: techdocs-core has its own.")
        yield name, kept


def _holds_object(value: Any) -> bool:
    if isinstance(value, dict):
        return any(_holds_object(item) for item in value.values())
    if isinstance(value, list):
        return any(_holds_object(item) for item in value)
    return isinstance(value, _Left)


def _read_nav(value: Any, file: str) -> list[Any] | None:
    if value is None:
        return None
    if not isinstance(value, list):
        raise ConfigRefused(f"{file} has a nav that is no list.", hint="Write a list of titles and pages.")
    left = _MAX_NAV

    def check(items: list[Any], depth: int) -> None:
        nonlocal left
        for item in items:
            left -= 1
            if left < 0 or depth > _MAX_NAV_DEPTH:
                raise ConfigRefused(f"{file} has a nav that is too long or too deep.", hint="Make it smaller.")
            target = item
            if isinstance(item, dict) and len(item) == 1:
                target = next(iter(item.values()))
            if isinstance(target, list):
                check(target, depth + 1)
            elif not isinstance(target, str) or "!include" in target:
                raise ConfigRefused(
                    f"{file} has a nav with {str(target)[:100]!r}, which is no page.",
                    hint="Name Markdown files of docs_dir; other sites are linked, not included.",
                )

    check(value, 1)
    return value


def make_mkdocs_config(config: SiteConfig, *, title: str) -> dict[str, Any]:
    """Return the configuration that mkdocs is given."""
    extensions: list[Any] = [{name: options} if options else name for name, options in config.extensions]
    made: dict[str, Any] = {
        "site_name": config.site_name or title,
        "docs_dir": config.docs_dir,
        "use_directory_urls": False,
        "plugins": ["techdocs-core"],
        "markdown_extensions": [
            *(entry for entry in extensions if not _is_own(entry)),
            {"toc": {"permalink": False}},
            {"pymdownx.highlight": {"linenums": False, "anchor_linenums": False}},
        ],
    }
    if config.nav is not None:
        made["nav"] = config.nav
    return made


def _is_own(entry: Any) -> bool:
    return (next(iter(entry)) if isinstance(entry, dict) else entry) in ("toc", "pymdownx.highlight")


def nav_of(config: SiteConfig, titles: dict[str, str], sources: dict[str, str]) -> tuple[NavEntry, ...]:
    """Return the nav of a mkdocs.yml over pages that Roadbed renders itself.

    Args:
        config: whose nav is given.
        titles: address → title.
        sources: file below docs_dir → address.
    """

    def read(items: list[Any]) -> Iterator[NavEntry]:
        for item in items:
            title, target = next(iter(item.items())) if isinstance(item, dict) else (None, item)
            if isinstance(target, list):
                yield NavEntry(str(title)[:_MAX_TITLE], None, tuple(read(target)))
            elif (address := sources.get(join("", target) or "")) is not None:
                yield NavEntry(str(title)[:_MAX_TITLE] if title is not None else titles[address], address)

    return tuple(read(config.nav or []))

"""Which pages a folder has, by the names of its files, and how they are listed when nobody says so."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from roadbed.docs.errors import NothingToRender, SiteTooLarge
from roadbed.docs.rules.paths import below, folder_of, is_below, is_home, is_markdown, join, without_ending, words_of
from roadbed.docs.types import NavEntry

MAX_PAGES = 2_000
MKDOCS_FILES = ("mkdocs.yml", "mkdocs.yaml")
_LEFT_OUT = frozenset({"node_modules", "vendor", "third_party"})
_MAX_DEPTH = 8


@dataclass(frozen=True)
class SitePlan:
    """What a site is made of.

    Args:
        root: the folder that addresses of pages begin at.
        pages: address → file.
        config: its mkdocs.yml, if it has one.
    """

    root: str
    pages: Mapping[str, str]
    config: str | None = None


def find_config(paths: Iterable[str], folder: str) -> str | None:
    """Return the mkdocs.yml of a folder."""
    known = set(paths)
    return next((path for name in MKDOCS_FILES if (path := join(folder, name)) in known), None)


def plan_plain(paths: Iterable[str], folder: str) -> SitePlan:
    """Choose the pages of a folder without mkdocs.yml: its README and `docs/`, or all Markdown when it has no `docs/`.

    Raises:
        NothingToRender, SiteTooLarge.
    """
    inside = [path for path in paths if is_below(path, folder) and is_markdown(path)]
    docs = join(folder, "docs") or "docs"
    chosen = [path for path in inside if is_below(path, docs)]
    if chosen:
        chosen += [path for path in inside if folder_of(path) == folder and is_home(path)]
    else:
        chosen = [path for path in inside if _LEFT_OUT.isdisjoint(path.split("/"))]
    return SitePlan(folder, name_pages(chosen, folder))


def plan_configured(paths: Iterable[str], folder: str, *, docs_dir: str, config: str) -> SitePlan:
    """Choose the pages of a folder with a mkdocs.yml: what is in its `docs_dir`.

    Raises:
        NothingToRender, SiteTooLarge.
    """
    root = join(folder, docs_dir) or ""
    chosen = [path for path in paths if is_below(path, root) and is_markdown(path)]
    return SitePlan(root, name_pages(chosen, root), config)


def name_pages(files: Iterable[str], root: str) -> dict[str, str]:
    """Return address → file, sorted: the file's path without its ending, as far as no two have the same."""
    pages: dict[str, str] = {}
    shown = (path for path in files if not any(part.startswith(".") for part in below(path, root).split("/")))
    for path in sorted(shown, key=lambda path: (path.count("/"), path)):
        address = without_ending(below(path, root))
        pages[below(path, root) if address in pages else address] = path
    if not pages:
        raise NothingToRender(
            f"There is no Markdown in {root or 'the root of the repository'}.",
            hint="Add a README.md or docs/index.md, or correct the annotation backstage.io/techdocs-ref.",
        )
    if len(pages) > MAX_PAGES:
        raise SiteTooLarge(
            f"{root or 'The repository'} holds {len(pages):,} pages; {MAX_PAGES:,} are rendered at most.",
            hint="Name a narrower folder in the annotation backstage.io/techdocs-ref.",
        )
    return pages


def find_start(pages: Iterable[str]) -> str:
    """Return the page that a site begins with: an index or README, the nearest to the root."""
    ordered = sorted(pages, key=lambda path: (not is_home(path), path.count("/"), path.lower()))
    return ordered[0]


def make_nav(titles: Mapping[str, str], start: str) -> tuple[NavEntry, ...]:
    """List pages by their folders: the start first, in each folder pages before folders, by title.

    Args:
        titles: address → title.
        start: the page that the site begins with.
    """
    tree: dict[str, dict[str, str]] = {}
    for path, title in titles.items():
        folder = "/".join(folder_of(path).split("/")[:_MAX_DEPTH])
        tree.setdefault(folder, {})[path] = title
        while folder:
            folder = folder_of(folder)
            tree.setdefault(folder, {})
    return (NavEntry(titles[start], start), *_list_folder(tree, "", start))


def _list_folder(tree: Mapping[str, Mapping[str, str]], folder: str, start: str) -> tuple[NavEntry, ...]:
    homes = {path for path in tree[folder] if is_home(path) and folder}
    pages = sorted(
        (NavEntry(title, path) for path, title in tree[folder].items() if path not in homes and path != start),
        key=lambda entry: (entry.title.lower(), entry.path),
    )
    below_it = sorted(name for name in tree if name and folder_of(name) == folder)
    folders = [_folder_entry(tree, name, start) for name in below_it]
    return (*pages, *(entry for entry in folders if entry.path is not None or entry.items))


def _folder_entry(tree: Mapping[str, Mapping[str, str]], folder: str, start: str) -> NavEntry:
    homes = sorted(path for path in tree[folder] if is_home(path) and path != start)
    title = tree[folder][homes[0]] if homes else words_of(folder.rpartition("/")[2])
    others = tuple(NavEntry(tree[folder][path], path) for path in homes[1:])
    return NavEntry(title, homes[0] if homes else None, (*others, *_list_folder(tree, folder, start)))

"""Paths inside a repository, as links and annotations write them."""

MARKDOWN_ENDINGS = (".md", ".markdown")
HOME_NAMES = ("index", "readme")


def join(folder: str, target: str) -> str | None:
    """Return where `target` leads from `folder`, empty for the root; None when it leaves the root."""
    parts = [part for part in folder.split("/") if part]
    for part in target.split("/"):
        if part == "..":
            if not parts:
                return None
            parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/".join(parts)


def folder_of(path: str) -> str:
    return path.rpartition("/")[0]


def is_below(path: str, folder: str) -> bool:
    """Tell whether a path is inside a folder; everything is inside the root."""
    return not folder or path.startswith(f"{folder}/")


def below(path: str, folder: str) -> str:
    """Return a path inside a folder as it is seen from there."""
    return path[len(folder) + 1 :] if folder else path


def is_markdown(path: str) -> bool:
    return path.lower().endswith(MARKDOWN_ENDINGS)


def without_ending(path: str) -> str:
    """Return the path of a Markdown file without its ending: `guide/setup.md` → `guide/setup`."""
    return path[: path.rindex(".")]


def is_home(path: str) -> bool:
    """Tell whether a page stands for its folder."""
    return path.rpartition("/")[2].partition(".")[0].lower() in HOME_NAMES


def words_of(name: str) -> str:
    """Return the name of a file or folder as a heading: `getting-started` → `Getting started`."""
    words = name.replace("-", " ").replace("_", " ").strip()
    return words[:1].upper() + words[1:] if words else name

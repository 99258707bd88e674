"""What the catalog file of a repository could say, guessed from its files. Nothing of it is run."""

import re
import tomllib
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from roadbed.kit.text import slugify

READ_BYTES = 256_000
_READMES = ("README.md", "readme.md", "Readme.md", "README.markdown", "README", "README.rst", "README.txt")
_PACKAGES = ("package.json", "pyproject.toml", "Cargo.toml", "composer.json")
_CODEOWNERS = ("CODEOWNERS", ".github/CODEOWNERS", ".gitlab/CODEOWNERS", "docs/CODEOWNERS")
_OPENAPI = ("openapi.yaml", "openapi.yml", "openapi.json", "api/openapi.yaml", "docs/openapi.yaml", "swagger.yaml")
WANTED = (*_READMES, *_PACKAGES, *_CODEOWNERS)
_LANGUAGES = {
    "py": "python", "ts": "typescript", "tsx": "typescript", "js": "javascript", "jsx": "javascript", "go": "go",
    "java": "java", "kt": "kotlin", "rs": "rust", "rb": "ruby", "cs": "csharp", "php": "php", "scala": "scala",
    "swift": "swift", "c": "c", "cpp": "cpp", "ex": "elixir", "tf": "terraform",
}  # fmt: skip
_RUNS = re.compile(r"(?:^|/)(?:Dockerfile|Containerfile|Procfile|score\.yaml|(?:docker-)?compose\.ya?ml|Chart\.yaml)$")
_SHOWS = ("react", "vue", "svelte", "next", "nuxt", "@angular/core", "astro", "gatsby")
_LIBRARIES = ("package.json", "pyproject.toml", "setup.py", "Cargo.toml", "composer.json", "go.mod", "pom.xml")
_SKIPPED = re.compile(r"(?:^|/)(?:node_modules|vendor|third_party|dist|build|\.[^/]+)/")
_MARKUP = re.compile(r"!?\[([^\]]*)\]\([^)]*\)|<[^>]*>|[*_`]")
_UNSAFE = re.compile(r"[^\w .,;:!?'()/&+-]+")
_LONGEST_NAME = 63
_LONGEST_TEXT = 300


@dataclass(frozen=True)
class Clues:
    """What is known of a repository.

    Args:
        name: of the repository.
        paths: of its files.
        texts: of those of `WANTED` that it has.
        owners: candidates with the reason, best first; refs as they are written.
        slug: `owner/name` when it is on GitHub.
    """

    name: str
    paths: Sequence[str]
    texts: Mapping[str, str] = field(default_factory=dict)
    owners: Sequence[tuple[str, str]] = ()
    slug: str = ""


@dataclass(frozen=True)
class Guess:
    """Documents for a catalog file, and for each guess where it comes from."""

    documents: tuple[dict[str, Any], ...]
    reasons: tuple[tuple[str, str], ...]


def guess(clues: Clues) -> Guess:
    """Return what a catalog file of a repository could say."""
    package_file, package = _find_package(clues.texts)
    reasons: list[tuple[str, str]] = []

    def because(name: str, value: str, reason: str) -> str:
        reasons.append((name, reason))
        return value

    name = because("metadata.name", _name(clues.name), "the name of the repository")
    metadata: dict[str, Any] = {"name": name}
    if described := _describe(clues.texts, package, package_file):
        metadata["description"] = because("metadata.description", described[0], described[1])
    annotations = _annotate(clues)
    if annotations:
        metadata["annotations"] = annotations
    if language := _find_language(clues.paths):
        metadata["tags"] = [because("metadata.tags", language, "most of its source files")]
    type_, why_type = _find_type(clues.paths, package)
    lifecycle, why_lifecycle = _find_lifecycle(package, package_file)
    owner, why_owner = clues.owners[0] if clues.owners else ("unknown", "nobody is known; write a group")
    spec: dict[str, Any] = {
        "type": because("spec.type", type_, why_type),
        "lifecycle": because("spec.lifecycle", lifecycle, why_lifecycle),
        "owner": because("spec.owner", owner, why_owner),
    }
    documents = [_document("Component", metadata, spec)]
    openapi = next((path for path in _OPENAPI if path in clues.paths), None)
    if openapi is not None:
        api = because("spec.providesApis", f"{name}-api", f"it has {openapi}")
        spec["providesApis"] = [api]
        about = {"type": "openapi", "lifecycle": lifecycle, "owner": owner, "definition": {"$text": f"./{openapi}"}}
        documents.append(_document("API", {"name": api}, about))
    return Guess(tuple(documents), tuple(reasons))


def read_codeowners(text: str) -> list[str]:
    """Return who owns everything by a file CODEOWNERS, as names without their organisation; the last rule counts."""
    owners: list[str] = []
    for line in text.splitlines()[:2_000]:
        words = line.partition("#")[0].split()
        if words and words[0] in ("*", "/*", "/", "**", "/**"):
            owners = [word.rpartition("/")[2].lstrip("@") for word in words[1:20] if word.startswith("@")]
    return owners


def _document(kind: str, metadata: dict[str, Any], spec: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": metadata, "spec": spec}


def _name(text: str) -> str:
    return slugify(text)[: _LONGEST_NAME - 4].strip("-") or "component"


def _find_package(texts: Mapping[str, str]) -> tuple[str, Mapping[str, Any]]:
    """Return the first package file that can be read, and what it says about the package."""
    readers: dict[str, Callable[[str], Any]] = {"json": orjson.loads, "toml": tomllib.loads}
    for path in _PACKAGES:
        if path not in texts:
            continue
        try:
            data = readers[path.rpartition(".")[2]](texts[path])
        except (ValueError, RecursionError):
            continue
        if not isinstance(data, dict):
            continue
        inner = data.get("project") or data.get("package") or data
        if isinstance(inner, dict):
            return path, inner
    return "", {}


def _describe(texts: Mapping[str, str], package: Mapping[str, Any], package_file: str) -> tuple[str, str] | None:
    told = package.get("description")
    if isinstance(told, str) and (text := _clean(told)):
        return text, f"the description in {package_file}"
    for path in _READMES:
        if path in texts and (text := _first_paragraph(texts[path])):
            return text, f"the first paragraph of {path}"
    return None


def _first_paragraph(text: str) -> str:
    """Return the first lines of running text: no headings, pictures, lists, rules or HTML."""
    found: list[str] = []
    is_code = False
    for line in text.splitlines()[:500]:
        plain = line.strip()
        if plain.startswith(("```", "~~~")):
            is_code = not is_code
        is_prose = bool(plain) and plain[0].isalnum() and not is_code
        if is_prose:
            found.append(plain)
        elif found:
            if set(plain) <= set("=-~") and plain and len(found) == 1:
                found = []  # it was a heading
                continue
            break
    return _clean(" ".join(found))


def _clean(text: str) -> str:
    plain = _MARKUP.sub(lambda match: match[1] or "", text[:5_000])
    plain = " ".join(_UNSAFE.sub(" ", plain).split())
    if len(plain) <= _LONGEST_TEXT:
        return plain
    return plain[:_LONGEST_TEXT].rpartition(" ")[0].rstrip(".,;:") + "…"


def _annotate(clues: Clues) -> dict[str, str]:
    annotations = {}
    if clues.slug:
        annotations["github.com/project-slug"] = clues.slug
    if any(path == "mkdocs.yml" or path.startswith("docs/") for path in clues.paths):
        annotations["backstage.io/techdocs-ref"] = "dir:."
    return annotations


def _find_language(paths: Sequence[str]) -> str | None:
    endings = Counter(
        _LANGUAGES[ending]
        for path in paths
        if (ending := path.rpartition(".")[2].lower()) in _LANGUAGES and not _SKIPPED.search(path)
    )
    return endings.most_common(1)[0][0] if endings else None


def _find_type(paths: Sequence[str], package: Mapping[str, Any]) -> tuple[str, str]:
    needed = package.get("dependencies")
    shown = next((name for name in _SHOWS if isinstance(needed, dict) and name in needed), None)
    if shown is not None:
        return "website", f"it depends on {shown}"
    runs = next((path for path in paths if _RUNS.search(path) and not _SKIPPED.search(path)), None)
    if runs is not None:
        return "service", f"it has {runs[-100:]}"
    library = next((path for path in _LIBRARIES if path in paths), None)
    if library is not None:
        return "library", f"it has {library}, and nothing that starts it"
    if any(path == "mkdocs.yml" for path in paths):
        return "documentation", "it has mkdocs.yml"
    return "other", "nothing tells"


def _find_lifecycle(package: Mapping[str, Any], package_file: str) -> tuple[str, str]:
    version = package.get("version")
    if isinstance(version, str) and (match := re.match(r"v?(\d{1,9})", version)):
        is_first = int(match[1]) == 0
        return ("experimental" if is_first else "production"), f"version {_clean(version)[:40]} in {package_file}"
    return "experimental", "nothing tells"

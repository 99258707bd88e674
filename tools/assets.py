"""Fill the pages' static folder with what npm fetched: Tabler's CSS, htmx, cytoscape, and one sprite of icons in use.

`npm ci` puts the packages into node_modules; this copies the few files a browser needs and builds `icons.svg`, with one
`<symbol id="i-NAME">` for each icon name found in templates, Python files and `tools/icons.txt`. What it writes is left
out of git and is part of the wheel. It does nothing when its outputs are newer than its inputs, and fails with the
place of use when an icon does not exist.

    python tools/assets.py [--check] [--node-modules DIR]
"""

from __future__ import annotations

import argparse
import gzip
import hashlib
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCE = ROOT / "src" / "roadbed"
STATIC = SOURCE / "web" / "static"
CHOSEN_AT_RUN_TIME = ROOT / "tools" / "icons.txt"
STAMP = "assets.stamp"

COPIES = {
    "@tabler/core/dist/css/tabler.min.css": "vendor/tabler.min.css",
    "htmx.org/dist/htmx.min.js": "vendor/htmx.min.js",
    "cytoscape/dist/cytoscape.min.js": "vendor/cytoscape.min.js",
}
LICENCES = {  # Tabler carries its own as the first comment of its CSS
    "@tabler/icons/LICENSE": "vendor/LICENSE-tabler-icons.txt",
    "htmx.org/LICENSE": "vendor/LICENSE-htmx.txt",
    "cytoscape/LICENSE": "vendor/LICENSE-cytoscape.txt",
}

# icon("name"), icon="name", icon: "name" and "icon": "name", in Jinja and Python alike
ICON_USE = re.compile(r"""\b_?icon["']?\s*(?:\(|=|:)\s*["']([a-z0-9][a-z0-9-]*)["']""")
SOURCE_MAP = re.compile(r"\s*(?:/\*# sourceMappingURL=.*?\*/|//# sourceMappingURL=.*)\s*\Z")
SVG_BODY = re.compile(r"<svg\b[^>]*>(.*)</svg>", re.DOTALL)
ORDINARY_PAGE = ("vendor/tabler.min.css", "vendor/htmx.min.js", "css/*.css", "js/*.js")
BUDGET_BYTES = 200 * 1024
GRAPH_PAGE = (*ORDINARY_PAGE, "vendor/cytoscape.min.js")
GRAPH_BUDGET_BYTES = 400 * 1024


class AssetError(Exception):
    """What is missing, where it is wanted, and what to do."""


def find_icons() -> dict[str, str]:
    """Each icon name in use, with the first place that uses it."""
    uses: dict[str, str] = {}
    for number, line in enumerate(CHOSEN_AT_RUN_TIME.read_text(encoding="utf-8").splitlines(), start=1):
        name = line.split("#", 1)[0].strip()
        if name:
            uses.setdefault(name, f"{CHOSEN_AT_RUN_TIME.relative_to(ROOT)}:{number}")
    for path in sorted([*SOURCE.rglob("*.html"), *SOURCE.rglob("*.py")]):
        if "skeleton" in path.parts:
            continue
        text = path.read_text(encoding="utf-8")
        for match in ICON_USE.finditer(text):
            line_number = text.count("\n", 0, match.start()) + 1
            uses.setdefault(match[1], f"{path.relative_to(ROOT)}:{line_number}")
    return uses


def find_icon_file(icons: Path, name: str) -> Path | None:
    """The SVG of an icon; names ending in -filled are the filled variant."""
    filled = name.removesuffix("-filled")
    path = icons / "filled" / f"{filled}.svg" if filled != name else icons / "outline" / f"{name}.svg"
    return path if path.is_file() else None


def build_symbol(name: str, svg: str) -> str:
    """One `<symbol>` with the icon's shapes, without Tabler's empty bounding box."""
    found = SVG_BODY.search(svg)
    if found is None:
        raise AssetError(f"The file of icon {name} holds no <svg>.")
    body = re.sub(r'<path stroke="none" d="M0 0h24v24H0z" fill="none"\s*/>', "", found[1])
    body = re.sub(r"\s+", " ", body).replace(" />", "/>").replace("> <", "><").strip()
    paint = ' fill="currentColor" stroke="none"' if name.endswith("-filled") else ""
    return f'<symbol id="i-{name}" viewBox="0 0 24 24"{paint}>{body}</symbol>'


def build_sprite(node_modules: Path, uses: dict[str, str]) -> str:
    """The sprite of all icons in use; fails with every unknown name at once."""
    icons = node_modules / "@tabler" / "icons" / "icons"
    symbols, unknown = [], []
    for name, place in sorted(uses.items()):
        path = find_icon_file(icons, name)
        if path is None:
            unknown.append(f"{place}: there is no icon named {name!r}")
        else:
            symbols.append(build_symbol(name, path.read_text(encoding="utf-8")))
    if unknown:
        raise AssetError("\n".join([*unknown, "Names are those of Tabler Icons; filled ones end in -filled."]))
    head = "<!-- Tabler Icons, MIT. Built by tools/assets.py. -->"
    return f'<svg xmlns="http://www.w3.org/2000/svg">{head}\n' + "\n".join(symbols) + "\n</svg>\n"


def read_package_file(node_modules: Path, name: str) -> str:
    """A file of an installed package."""
    path = node_modules / name
    if not path.is_file():
        raise AssetError(f"{name} is not in {node_modules.name}. Run: npm ci")
    return path.read_text(encoding="utf-8")


def fingerprint(node_modules: Path, uses: dict[str, str]) -> str:
    """What the outputs depend on: package versions, icon names and this file."""
    digest = hashlib.sha256()
    for path in (ROOT / "package-lock.json", Path(__file__)):
        digest.update(path.read_bytes())
    digest.update("\n".join(sorted(uses)).encode())
    digest.update(str(node_modules).encode())
    return digest.hexdigest()


def is_current(stamp: str) -> bool:
    """Whether a former run wrote the same, and all of it is still there."""
    path = STATIC / "vendor" / STAMP
    outputs = [STATIC / name for name in (*COPIES.values(), *LICENCES.values(), "icons.svg")]
    return path.is_file() and path.read_text(encoding="utf-8") == stamp and all(map(Path.is_file, outputs))


def build(node_modules: Path) -> bool:
    """Write all outputs, or none when one cannot be made; False when they were current already."""
    uses = find_icons()
    stamp = fingerprint(node_modules, uses)
    if is_current(stamp):
        return False
    outputs = {
        target: SOURCE_MAP.sub("\n", read_package_file(node_modules, source))
        for source, target in (COPIES | LICENCES).items()
    }
    outputs["icons.svg"] = build_sprite(node_modules, uses)
    (STATIC / "vendor").mkdir(parents=True, exist_ok=True)
    for target, text in outputs.items():
        (STATIC / target).write_text(text, encoding="utf-8")
    (STATIC / "vendor" / STAMP).write_text(stamp, encoding="utf-8")
    return True


def measure(page: tuple[str, ...], budget_bytes: int) -> bool:
    """Whether CSS and JavaScript of a page, gzipped, stay within a budget; says each on the way."""
    total = 0
    for pattern in page:
        for path in sorted(STATIC.glob(pattern)):
            size = len(gzip.compress(path.read_bytes(), 9))
            total += size
            print(f"{size / 1024:8.1f} KB  {path.relative_to(STATIC)}")
    print(f"{total / 1024:8.1f} KB  gzipped, of {budget_bytes // 1024} KB")
    return total <= budget_bytes


def main() -> int:
    """Build, and with --check measure the budget as well."""
    parser = argparse.ArgumentParser(description="Fill the pages' static folder from node_modules.")
    parser.add_argument("--check", action="store_true", help="also measure an ordinary page against its budget")
    parser.add_argument("--node-modules", type=Path, default=ROOT / "node_modules")
    options = parser.parse_args()
    try:
        print("Assets built." if build(options.node_modules) else "Assets are current.")
    except AssetError as error:
        print(error, file=sys.stderr)
        return 1
    budgets = ((ORDINARY_PAGE, BUDGET_BYTES), (GRAPH_PAGE, GRAPH_BUDGET_BYTES)) if options.check else ()
    if sum(not measure(page, budget) for page, budget in budgets):
        print("A page is over its budget: leave something out or load it on fewer pages.", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())

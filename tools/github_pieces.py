"""Cut out of GitHub's published API descriptions what the tests need of them: a few operations and webhooks.

The packages that hold the descriptions have 400 MB. Unpack them somewhere, then:

python tools/github_pieces.py @octokit/openapi's folder @octokit/openapi-webhooks' folder
"""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).resolve().parent.parent / "tests" / "data" / "github"
OPERATIONS = (
    ("get", "/orgs/{org}/repos"),
    ("get", "/orgs/{org}/teams"),
    ("get", "/orgs/{org}/teams/{team_slug}/members"),
    ("get", "/orgs/{org}/members"),
    ("get", "/users/{username}"),
    ("get", "/repos/{owner}/{repo}/git/trees/{tree_sha}"),
    ("get", "/repos/{owner}/{repo}/git/blobs/{file_sha}"),
    ("get", "/repos/{owner}/{repo}/contents/{path}"),
    ("get", "/orgs/{org}/installation"),
    ("post", "/app/installations/{installation_id}/access_tokens"),
)
WEBHOOKS = (
    "push",
    "ping",
    "repository-created",
    "repository-archived",
    "organization-member-added",
    "membership-added",
    "team-edited",
)
STATUSES = ("200", "201")
DROPPED = ("description", "title", "examples", "x-github", "x-multi-segment", "externalDocs", "tags", "summary")


def main(api: Path, webhooks: Path) -> None:
    """Write both pieces and the licence."""
    described = json.loads((api / "generated" / "api.github.com.json").read_text())
    operations: dict[str, Any] = {}
    for method, path in OPERATIONS:
        found = described["paths"][path][method]
        kept = {status: answer for status, answer in found["responses"].items() if status in STATUSES}
        operations.setdefault(path, {})[method] = {"parameters": found.get("parameters", []), "responses": kept}
    write("api.json", described, {"paths": operations})
    told = json.loads((webhooks / "generated" / "api.github.com.json").read_text())
    named = {name: told["webhooks"][name] for name in WEBHOOKS}
    write("webhooks.json", told, {"webhooks": named})
    (FOLDER / "LICENSE").write_text((api / "LICENSE").read_text())


def write(name: str, described: dict[str, Any], root: dict[str, Any]) -> None:
    """Write a part of a description with everything that it refers to."""
    components: dict[str, dict[str, Any]] = {}
    waiting = list(find_refs(root))
    while waiting:
        _, _, kind, key = waiting.pop().split("/", 3)
        if key not in components.setdefault(kind, {}):
            components[kind][key] = described["components"][kind][key]
            waiting += find_refs(components[kind][key])
    whole = {"openapi": described["openapi"], "info": {"version": described["info"]["version"]}, **root}
    FOLDER.mkdir(parents=True, exist_ok=True)
    text = json.dumps(trim({**whole, "components": components}), sort_keys=True, separators=(",", ":"))
    (FOLDER / name).write_text(text + "\n")


def find_refs(value: Any) -> Iterator[str]:
    """Yield each reference in a part of a description."""
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for item in value.values():
            yield from find_refs(item)
    elif isinstance(value, list):
        for item in value:
            yield from find_refs(item)


def trim(value: Any, *, is_names: bool = False) -> Any:
    """Leave out what is for readers; names of properties are no keywords."""
    if isinstance(value, dict):
        kept = {key: item for key, item in value.items() if is_names or key not in DROPPED}
        return {key: trim(item, is_names=key in ("properties", "schemas")) for key, item in kept.items()}
    return [trim(item) for item in value] if isinstance(value, list) else value


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))

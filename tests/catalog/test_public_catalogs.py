"""Catalogs of public repositories, read as they are through a location."""

import os
import shutil
from collections import Counter
from pathlib import Path

import pytest

from tests.catalog.conftest import Place

SHARED = Path(os.environ.get("ROADBED_SHARED", Path(__file__).parents[2] / ".." / "shared"))
FIXTURES = SHARED / "fixtures" / "backstage-catalog"
RENDERED = {"skeleton", "content", "template"}
"""Folders whose files become entities only when a template is used."""

NO_ENTITY = "The document is not an entity: it has neither apiVersion nor kind."
UNKNOWN = "spec.definition holds the placeholder $openapi, which Roadbed does not know; it must be a text."
TOLD = {
    (
        "catalog-info.yaml",
        29,
        "$text: 'https://demo.backstage.io/api/graphql/schema' cannot be put in: addresses are not followed.",
    ),
    ("catalog-info.yaml", 35, "The target './plugins/audit-log-node/catalog-info.yaml' is not there."),
    ("mkdocs.yml", 1, NO_ENTITY),
    ("nexus-repo-manager-3.yaml", 18, UNKNOWN),
    ("petstore.yaml", 22, UNKNOWN),
}

pytestmark = pytest.mark.skipif(not FIXTURES.exists(), reason=f"{FIXTURES} is not there; set ROADBED_SHARED")


def test_public_catalogs_are_ingested_and_each_failure_has_file_line_and_reason(place: Place) -> None:
    for source in sorted(FIXTURES.rglob("*.y*ml")):
        path = source.relative_to(FIXTURES)
        if not RENDERED & set(path.parts):
            (place.folder / path).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, place.folder / path)
    run = place.register("**/*.y*ml")
    assert run["state"] == "succeeded", run["error"]
    try:
        location, problems = place.location(), place.problems()
        assert (location["entities"], len(location["problems"])) == (64, len(problems))
        assert all(problem["file"] and problem["line"] and problem["reason"] for problem in problems)
        for problem in problems:
            assert (place.folder / problem["file"]).is_file()
        errors = [problem for problem in problems if problem["severity"] == "error"]
        assert Counter(problem["code"] for problem in errors) == {"conflict": 17, "invalid": 5, "target": 1}
        for ref in {problem["ref"] for problem in errors if problem["code"] == "conflict"}:
            assert place.get(ref).status_code == 200, "the first of its name is in the catalog"
        told = {(p["file"].rpartition("/")[2], p["line"], p["reason"]) for p in errors if p["code"] != "conflict"}
        assert told == TOLD
        for ref in ("system:janus-idp", "group:janus-authors", "template:go-backend-template", "api:github-mcp-server"):
            assert place.get(ref.replace(":", ":default/")).status_code == 200, ref
    finally:
        assert place.api.delete(f"/api/v1/locations/{place.id}").status_code in (200, 204)

"""Sites of places other than the built-in host: a repository elsewhere, and files of the server."""

from pathlib import Path

import httpx
import pytest

from tests.catalog.conftest import Place
from tests.support import RunningServer
from tests.waiting import wait_for


@pytest.mark.parametrize("type_", ["git", "file"])
def test_site_of_a_location_is_built_after_it_was_read(
    server: RunningServer, docs_api: httpx.Client, tmp_path: Path, type_: str
) -> None:
    place, name = Place(tmp_path, docs_api, server), f"docs-of-{type_}"
    (tmp_path / "handbook").mkdir()
    (tmp_path / "handbook" / "README.md").write_text("# Away\n\n[gone](gone.md)\n")
    (tmp_path / "handbook" / "link.md").symlink_to("/etc/passwd")
    (tmp_path / "catalog-info.yaml").write_text(
        f"apiVersion: backstage.io/v1alpha1\nkind: Component\nmetadata:\n  name: {name}\n"
        "  annotations: {backstage.io/techdocs-ref: 'dir:./handbook'}\n"
        "spec: {type: service, lifecycle: production, owner: team-a}\n"
    )
    commit = place.commit() if type_ == "git" else None
    place.register_target(type_, f"file://{tmp_path}" if type_ == "git" else f"{tmp_path}/catalog-info.yaml")
    href = f"/docs/component/default/{name}"
    site = wait_for(
        lambda: docs_api.get(f"/api/v1{href}").json(), lambda found: found.get("state") == "ready", what="the site"
    )
    assert site["version"]["pages"] == 1
    assert site["version"]["broken_links"] == 1
    assert commit is None or site["version"]["revision"] == commit
    assert docs_api.get(f"{href}/latest/README").status_code == 200

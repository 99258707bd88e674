"""Sites with a mkdocs.yml: with a real mkdocs in the sandbox, without it, and when they mean harm."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from roadbed.core.sandbox import Sandbox
from roadbed.core.settings import Settings
from roadbed.docs.workflows.mkdocs import read_version
from tests.docs.conftest import PIXEL, Library
from tests.support import RunningServer

INSTALLED = Path(os.environ.get("ROADBED_TEST_MKDOCS", Path(__file__).parents[2] / ".venv" / "mkdocs"))
SITE: dict[str, str | bytes | None] = {
    "mkdocs.yml": "site_name: Order handbook\nplugins: [techdocs-core]\ntheme: {name: material}\n"
    "nav:\n  - Begin: index.md\n  - Guides:\n      - Set it up: guide/setup.md\n",
    "docs/index.md": """# Welcome

!!! note "Mind"
    The gap.

[Set up](guide/setup.md#first-steps) [gone](gone.md)

![Plan](img/plan.png)

- [x] done

<script>alert(1)</script>
""",
    "docs/guide/setup.md": "# Set up\n\n## First steps\n\n```python\nx = 1\n```\n\nBack to [start](../index.md).\n",
    "docs/unlisted.md": "# Unlisted\n",
    "docs/img/plan.png": PIXEL,
}


@pytest.fixture
def mkdocs(server: RunningServer) -> Iterator[None]:
    """Put the installed mkdocs where the server looks for it."""
    if read_version(INSTALLED) is None:
        how = f"ROADBED_DOCS__MKDOCS={INSTALLED} roadbed docs install"
        pytest.skip(f"mkdocs-techdocs-core is not in {INSTALLED}: `{how}`, or name another by ROADBED_TEST_MKDOCS")
    if not server.services.get(Sandbox).isolation.mechanism.has_namespace:
        pytest.skip("this machine cannot keep mkdocs from the network")
    place = server.services.get(Settings).mkdocs_folder
    place.parent.mkdir(mode=0o711, exist_ok=True)
    place.symlink_to(INSTALLED)
    yield
    place.unlink()


def log_of(library: Library, run_id: str) -> str:
    return library.api.get(f"/api/v1/runs/{run_id}/steps/build/log.txt").text


def test_mkdocs_renders_in_the_sandbox(library: Library, mkdocs: None) -> None:
    revision = library.commit(SITE)
    library.register()
    site = library.built(revision)
    version = site["version"]
    assert (version["builder"], version["fallback"], version["title"]) == ("mkdocs", None, "Order handbook")
    assert (version["pages"], version["home"], version["broken_links"]) == (3, "index", 1)
    assert version["notes"] == ["theme is left out: it has no effect in Roadbed's pages."]
    page = library.page("index").text
    assert '<div class="admonition' in page
    assert 'href="guide/setup#text-first-steps"' in page
    assert "alert(1)</script>" not in page
    assert "☑" in page
    assert library.page("img/plan.png").content == PIXEL
    setup = library.page("guide/setup").text
    assert 'aria-current="page">Set it up</a>' in setup
    assert '<span class="n">x</span>' in setup
    assert [(link["page"], link["target"]) for link in library.links()] == [("index", "gone.md")]
    assert library.page("unlisted").status_code == 200


def test_site_is_rendered_without_mkdocs_and_says_so_and_refused_where_it_means_harm(library: Library) -> None:
    revision = library.commit(SITE)
    library.register()
    version = library.built(revision)["version"]
    assert (version["builder"], version["title"], version["home"]) == ("roadbed", "Order handbook", "index")
    assert "not installed" in version["fallback"] or "network" in version["fallback"]
    page = library.page("guide/setup").text
    assert "Built without mkdocs" in page
    assert 'aria-current="page">Set it up</a>' in page
    assert "Built without mkdocs" in log_of(library, version["run_id"])

    library.commit({"mkdocs.yml": "site_name: x\nhooks: [evil.py]\n", "evil.py": "raise SystemExit\n"})
    site = library.failed()
    assert site["error"]["message"] == "mkdocs.yml has hooks, which Roadbed does not do."
    assert site["version"]["revision"] == revision
    assert "has hooks" in library.api.get(f"{library.href}/about").text


def test_failure_of_mkdocs_keeps_the_last_version(library: Library, mkdocs: None) -> None:
    first = library.commit(SITE)
    library.register()
    library.built(first)
    library.commit({"mkdocs.yml": "site_name: x\nmarkdown_extensions: [{footnotes: {NO_SUCH_OPTION: 1}}]\n"})
    site = library.failed()
    assert "mkdocs ended with code" in site["error"]["message"]
    assert site["version"]["revision"] == first
    page = library.page("index")
    assert page.status_code == 200
    assert "Build failed" in page.text

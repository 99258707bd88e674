"""The pages of documentation in a browser: at both widths, in both themes, without a fault."""

from collections.abc import Iterator

import httpx
import pytest
from playwright.sync_api import Browser

from tests.docs.conftest import PIXEL, Library, make_library
from tests.identity.people import Person, new_person
from tests.support import RunningServer
from tests.web.browser import ROOT, WatchedPage, launch_browser, watch

FILES: dict[str, str | bytes | None] = {
    "README.md": "# Orders\n\nTakes and tracks the orders of customers. Begin with the [handbook](docs/index.md).\n\n"
    "## What it does\n\n| Part | Does |\n|---|---|\n| api | takes orders |\n| worker | sends them on |\n\n"
    "## Run it\n\n```shell\nmake run\ncurl http://127.0.0.1:8000/orders\n```\n\n> It needs PostgreSQL.\n",
    "docs/index.md": "# Handbook\n\n[Set up](guide/setup.md), [gone](gone.md), [elsewhere](https://example.com/).\n\n"
    "![Plan](plan.png)\n",
    "docs/guide/setup.md": "# Set up\n\n## First steps\n\nInstall it.\n\n### With a proxy\n\nSet HTTPS_PROXY.\n",
    "docs/guide/a-page-with-a-rather-long-name.md": "# Deciding which of the many ways of deployment suits a service\n",
    "docs/runbook.md": "# When it fails\n\n## Orders pile up\n\nLook at the worker first.\n",
    "docs/plan.png": PIXEL,
}


@pytest.fixture(scope="module")
def person(server: RunningServer) -> Person:
    return new_person(server, "platform-engineer")


@pytest.fixture(scope="module")
def addresses(server: RunningServer, docs_api: httpx.Client) -> dict[str, str]:
    """The pages, with something on each. Made before the browser, whose loop would hold this thread."""
    library: Library = make_library(server, docs_api)
    library.annotations["roadbed.dev/runbook"] = "docs/runbook.md"
    library.commit(FILES)
    library.register()
    library.built(library.commit({"docs/guide/setup.md": str(FILES["docs/guide/setup.md"]) + "\nMore.\n"}))
    docs_api.post(f"/api/v1{library.href}/reports", json={"page": "README", "text": "The port is another one."})
    failed = make_library(server, docs_api)
    failed.commit({"mkdocs.yml": "hooks: [x.py]\n"})
    failed.register()
    failed.failed()
    return {
        "list": "/docs",
        "found": "/docs?q=handbook",
        "page": f"{library.href}/latest/README",
        "about": f"{library.href}/about",
        "failed": f"{failed.href}/about",
        "entity": f"/catalog/component/default/{library.name}",
    }


@pytest.fixture(scope="module")
def browser(addresses: dict[str, str]) -> Iterator[Browser]:
    with launch_browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def window(server: RunningServer, person: Person, browser: Browser) -> WatchedPage:
    return watch(browser).open_as(person.session, server.base_url)


@pytest.mark.parametrize("name", ["list", "found", "page", "about", "failed", "entity"])
def test_page_is_sound(server: RunningServer, window: WatchedPage, addresses: dict[str, str], name: str) -> None:
    window.visit(server.base_url + addresses[name])
    assert window.look_around(ROOT / "test-artifacts" / "docs", name) == []

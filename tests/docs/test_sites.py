"""Sites of plain Markdown, from a push to the page."""

import httpx

from tests.docs.conftest import PIXEL, Library
from tests.support import RunningServer
from tests.waiting import wait_for

HANDBOOK: dict[str, str | bytes | None] = {
    "README.md": "# Orders\n\nTakes orders. See the [handbook](docs/index.md) and [the code](src/app.py).\n",
    "docs/index.md": "# Handbook\n\n[Set up](guide/setup.md#first-steps), [gone](gone.md), "
    "[elsewhere](https://example.com/).\n\n![Plan](plan.png)\n",
    "docs/guide/setup.md": "# Set up\n\n## First steps\n\nInstall the flux capacitor.\n\n<script>alert(1)</script>\n",
    "docs/plan.png": PIXEL,
    "src/app.py": "print(1)\n",
}


def test_push_makes_pages_with_contents_search_and_broken_links(library: Library) -> None:
    revision = library.commit(HANDBOOK)
    library.register()
    site = library.built(revision)
    assert (site["version"]["builder"], site["version"]["pages"], site["version"]["broken_links"]) == ("roadbed", 3, 1)
    assert site["source"] == library.repository.full_name

    start = library.api.get(library.href)
    assert start.status_code == 303
    assert start.headers["location"] == f"{library.href}/latest/README"
    page = library.page("README").text
    assert 'href="docs/index"' in page
    assert f'href="/repositories/{library.repository.full_name}/file/src/app.py"' in page
    setup = library.page("docs/guide/setup")
    assert 'href="#text-first-steps">First steps</a>' in setup.text  # on this page
    assert 'aria-current="page">Set up</a>' in setup.text  # in the list of pages
    assert "alert(1)</script>" not in setup.text
    image = library.page("docs/plan.png")
    assert (image.content, image.headers["content-type"]) == (PIXEL, "image/png")
    assert "sandbox" in image.headers["content-security-policy"]

    assert [(link["page"], link["target"], link["reason"]) for link in library.links()] == [
        ("docs/index", "gone.md", "There is no docs/gone.md.")
    ]
    assert [link["reason"] for link in library.links("external")] == ["Not checked."]
    about = library.api.get(f"{library.href}/about").text
    assert "There is no docs/gone.md." in about
    assert "not checked" in about

    found = library.api.get("/api/v1/docs/search", params={"q": "flux capac"}).json()["items"]
    assert [(match["path"], match["title"]) for match in found if match["ref"].endswith(library.name)] == [
        ("docs/guide/setup", "Set up")
    ]
    groups = library.api.get("/api/v1/search", params={"q": "Handbook"}).json()["groups"]
    hits = [hit["href"] for group in groups if group["label"] == "Documentation" for hit in group["items"]]
    assert f"{library.href}/latest/docs/index" in hits


def test_versions_stay_and_deleted_entities_lose_their_pages(library: Library) -> None:
    first = library.commit({"README.md": "# One\n", "docs/a.md": "# A\n"})
    library.register()
    library.built(first)
    second = library.commit({"README.md": "# Two\n", "docs/a.md": None})
    library.built(second)
    versions = library.api.get(f"/api/v1{library.href}/versions").json()["items"]
    assert [version["revision"] for version in versions] == [second, first]
    assert ">Two</h1>" in library.page("README").text.replace("\n", "")
    earlier = library.page("docs/a", first[:12])
    assert "An earlier version" in earlier.text
    assert library.page("docs/a").status_code == 404
    back = library.api.get(f"{library.href}/latest", params={"page": "docs/a"})
    assert back.headers["location"] == f"{library.href}/latest/README"

    assert library.api.delete(f"/api/v1/locations/{library.location_id}").status_code in (200, 202, 204)
    wait_for(lambda: library.api.get(f"/api/v1{library.href}").status_code == 404)
    assert library.page("README").status_code == 404


def test_site_without_pages_fails_and_says_so(library: Library) -> None:
    library.annotations["backstage.io/techdocs-ref"] = "dir:./nothing"
    library.commit({"README.md": "# x\n"})
    library.register()
    site = library.failed()
    assert site["error"]["message"] == "There is no Markdown in nothing."
    page = library.api.get(library.href)
    assert page.status_code == 200
    assert "There is no Markdown in nothing." in page.text


def test_annotation_that_leads_nowhere_is_listed_with_its_reason(library: Library) -> None:
    library.annotations["backstage.io/techdocs-ref"] = "url:https://example.com/somebody/else"
    library.commit({"README.md": "# x\n"})
    library.register()
    site = wait_for(library.site)
    assert site["state"] is None
    assert "not read from" in site["error"]["message"]
    listed = library.api.get("/docs", params={"q": library.name}).text
    assert "Leads nowhere" in listed


def test_hostile_files_do_no_harm(library: Library) -> None:
    revision = library.commit(
        {
            "docs/index.md": "# Start\n\n[passwd](passwd.md) [out](../../etc/passwd) [c](javascript:alert(1))\n",
            "docs/deep.md": ">" * 50_000 + " x\n",
            "docs/long.md": "a" * 600_000,
            "docs/bytes.md": b"\xff\xfe# \x00 odd\n",
            "docs/evil.html": "<script>alert(1)</script>",
            "docs/links.md": "# Links\n\n[html](evil.html)\n",
        },
        links={"docs/passwd.md": "/etc/passwd"},
    )
    library.register()
    site = library.built(revision)
    reasons = {link["target"]: link["reason"] for link in library.links()}
    assert reasons["passwd.md"] == "There is no docs/passwd.md."
    assert reasons["../../etc/passwd"] == "It leads out of the repository."
    assert any("docs/long.md is not shown" in note for note in site["version"]["notes"])
    assert library.page("docs/bytes").status_code == 200
    assert 'href="javascript' not in library.page("docs/index").text
    assert library.page("docs/passwd").status_code == 404


def test_only_who_may_reads_and_builds(library: Library, server: RunningServer) -> None:
    revision = library.commit({"README.md": "# Orders\n"})
    library.register()
    library.built(revision)
    anonymous, viewer = server.client(), server.client_as("viewer")
    assert anonymous.get(f"/api/v1{library.href}").status_code == 401
    assert viewer.get(f"{library.href}/latest/README").status_code == 200
    assert viewer.post(f"/api/v1{library.href}/builds").status_code == 403
    started = library.api.post(f"/api/v1{library.href}/builds")
    assert started.status_code == 202
    run_id = started.json()["run_id"]
    wait_for(lambda: library.api.get(f"/api/v1/runs/{run_id}").json()["state"] == "succeeded")
    versions = library.api.get(f"/api/v1{library.href}/versions").json()["items"]
    assert [version["run_id"] for version in versions] == [run_id]


def test_problem_is_reported_to_the_owners_and_settled(library: Library, server: RunningServer) -> None:
    revision = library.commit({"README.md": "# Orders\n\nFirst.\n"})
    library.register()
    library.built(revision)
    viewer = server.client_as("viewer")
    form = viewer.get(f"{library.href}/report/README")
    assert "What is wrong" in form.text
    assert viewer.post(f"{library.href}/report/README", data={"text": " "}).status_code == 422
    sent = viewer.post(f"{library.href}/report/README", data={"text": "The <b>second</b> step is missing."})
    assert sent.status_code == 303
    about = library.api.get(f"{library.href}/about").text
    assert "The &lt;b&gt;second&lt;/b&gt; step is missing." in about
    reports = library.api.get(f"/api/v1{library.href}/reports").json()["items"]
    assert [(report["page"], report["revision"]) for report in reports] == [("README", revision)]
    settle = f"/api/v1{library.href}/reports/{reports[0]['id']}/settle"
    assert viewer.post(settle).status_code == 403
    assert library.api.post(settle).json()["settled_at"] is not None
    assert library.api.get(f"/api/v1{library.href}/reports").json()["items"] == []


def test_edit_of_a_page_becomes_a_change_request(library: Library, server: RunningServer) -> None:
    revision = library.commit({"README.md": "# Orders\n\nFirst.\n"})
    library.register()
    library.built(revision)
    viewer, developer = server.client_as("viewer"), server.client_as("developer")
    assert "Edit this page" not in viewer.get(f"{library.href}/latest/README").text
    assert viewer.get(f"{library.href}/edit/README").status_code == 403
    assert "Edit this page" in developer.get(f"{library.href}/latest/README").text
    form = developer.get(f"{library.href}/edit/README")
    assert "# Orders" in form.text
    same = {"base": revision, "text": "# Orders\r\n\r\nFirst.\r\n"}
    assert developer.post(f"{library.href}/edit/README", data=same).status_code == 422
    sent = developer.post(f"{library.href}/edit/README", data={**same, "text": "# Orders\r\n\r\nSecond.\r\n"})
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"].startswith(f"/repositories/{library.repository.full_name}/changes/")
    change = developer.get(sent.headers["location"])
    assert change.status_code == 200
    assert "Second." in change.text


def test_entity_page_leads_to_documentation_and_runbook(library: Library) -> None:
    library.annotations["roadbed.dev/runbook"] = "docs/runbook.md#first"
    revision = library.commit({"README.md": "# Orders\n", "docs/runbook.md": "# When it fails\n\n## First\n\nLook.\n"})
    library.register()
    library.built(revision)
    page = library.api.get(f"/catalog/component/default/{library.name}").text
    assert f'href="{library.href}"' in page
    assert f'href="{library.href}/latest/docs/runbook#text-first"' in page
    library.annotations["roadbed.dev/runbook"] = "docs/gone.md"
    library.built(library.commit({}))
    wait_for(
        lambda: "Runbook not found" in library.api.get(f"/catalog/component/default/{library.name}").text,
        what="the missing runbook",
    )
    library.annotations["roadbed.dev/runbook"] = "https://wiki.example/orders"
    library.commit({})
    wait_for(
        lambda: (
            'href="https://wiki.example/orders"' in library.api.get(f"/catalog/component/default/{library.name}").text
        ),
        what="the runbook elsewhere",
    )


def test_empty_list_says_what_it_is_for(docs_api: httpx.Client) -> None:
    page = docs_api.get("/docs", params={"q": "zzz-no-such-words"})
    assert page.status_code == 200
    assert "Nothing has these words" in page.text

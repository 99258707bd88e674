"""Sites of plain Markdown, from a push to the page."""

import json
from pathlib import Path

import httpx
import pytest

from roadbed.catalog.contract import Health, StatusReport, report_status
from roadbed.kit.refs import EntityRef
from tests.docs.conftest import PIXEL, Library, make_library
from tests.process import RoadbedProcess
from tests.support import RunningServer
from tests.waiting import wait_for

HANDBOOK: dict[str, str | bytes | None] = {
    "README.md": "# Orders\n\nTakes orders. See the [handbook](docs/index.md) and [the code](src/app.py).\n",
    "docs/index.md": "# Handbook\n\n[Set up](guide/setup.md#first-steps), [gone](gone.md), "
    "[elsewhere](https://example.com/).\n\n![Plan](plan.png)\n",
    "docs/guide/setup.md": "# Set up\n\n## First steps\n\nInstall the flux capacitor.\n\n<script>alert(1)</script>\n",
    "docs/plan.png": PIXEL,
    "docs/runbook.md": "# When it fails\n\n## First\n\nLook.\n",
    "src/app.py": "print(1)\n",
}


@pytest.fixture(scope="module")
def handbook(server: RunningServer, docs_api: httpx.Client) -> Library:
    """A site that is built, for tests that leave its pages as they are."""
    library = make_library(server, docs_api)
    library.annotations["roadbed.dev/runbook"] = "docs/runbook.md#first"
    revision = library.commit(HANDBOOK)
    library.register()
    library.built(revision)
    return library


def test_push_makes_pages_with_contents(handbook: Library) -> None:
    site = handbook.site()
    assert (site["version"]["builder"], site["version"]["pages"], site["version"]["broken_links"]) == ("roadbed", 4, 1)
    assert site["source"] == handbook.repository.full_name
    start = handbook.api.get(handbook.href)
    assert start.status_code == 303
    assert start.headers["location"] == f"{handbook.href}/latest/README"
    page = handbook.page("README").text
    assert 'href="docs/index"' in page
    assert f'href="/repositories/{handbook.repository.full_name}/file/src/app.py"' in page
    setup = handbook.page("docs/guide/setup")
    assert 'href="#text-first-steps">First steps</a>' in setup.text  # on this page
    assert 'aria-current="page">Set up</a>' in setup.text  # in the list of pages
    assert "alert(1)</script>" not in setup.text
    image = handbook.page("docs/plan.png")
    assert (image.content, image.headers["content-type"]) == (PIXEL, "image/png")
    assert "sandbox" in image.headers["content-security-policy"]


def test_links_that_lead_nowhere_are_listed_and_others_not_checked(handbook: Library) -> None:
    assert [(link["page"], link["target"], link["reason"]) for link in handbook.links()] == [
        ("docs/index", "gone.md", "There is no docs/gone.md.")
    ]
    assert [link["reason"] for link in handbook.links("external")] == ["Not checked."]
    about = handbook.api.get(f"{handbook.href}/about").text
    assert "There is no docs/gone.md." in about
    assert "not checked" in about


def test_words_are_found_in_the_search_and_in_the_palette(handbook: Library) -> None:
    found = handbook.api.get("/api/v1/docs/search", params={"q": "flux capac"}).json()["items"]
    assert [(match["path"], match["title"]) for match in found if match["ref"].endswith(handbook.name)] == [
        ("docs/guide/setup", "Set up")
    ]
    groups = handbook.api.get("/api/v1/search", params={"q": "Handbook"}).json()["groups"]
    hits = [hit["href"] for group in groups if group["label"] == "Documentation" for hit in group["items"]]
    assert f"{handbook.href}/latest/docs/index" in hits
    nothing = handbook.api.get("/docs", params={"q": "zzz-no-such-words"})
    assert "Nothing has these words" in nothing.text


def test_problem_is_reported_to_the_owners_and_settled(handbook: Library, server: RunningServer) -> None:
    viewer = server.client_as("viewer")
    assert "What is wrong" in viewer.get(f"{handbook.href}/report/README").text
    assert viewer.post(f"{handbook.href}/report/README", data={"text": " "}).status_code == 422
    sent = viewer.post(f"{handbook.href}/report/README", data={"text": "The <b>second</b> step is missing."})
    assert sent.status_code == 303
    assert "The &lt;b&gt;second&lt;/b&gt; step is missing." in handbook.api.get(f"{handbook.href}/about").text
    reports = handbook.api.get(f"/api/v1{handbook.href}/reports").json()["items"]
    assert [report["page"] for report in reports] == ["README"]
    settle = f"/api/v1{handbook.href}/reports/{reports[0]['id']}/settle"
    assert viewer.post(settle).status_code == 403
    assert handbook.api.post(settle).json()["settled_at"] is not None
    assert handbook.api.get(f"/api/v1{handbook.href}/reports").json()["items"] == []


def test_edit_of_a_page_becomes_a_change_request(handbook: Library, server: RunningServer) -> None:
    viewer, developer = server.client_as("viewer"), server.client_as("developer")
    assert "Edit this page" not in viewer.get(f"{handbook.href}/latest/README").text
    assert viewer.get(f"{handbook.href}/edit/README").status_code == 403
    assert "Edit this page" in developer.get(f"{handbook.href}/latest/README").text
    form = developer.get(f"{handbook.href}/edit/README")
    assert "# Orders" in form.text
    base, text = handbook.site()["version"]["revision"], str(HANDBOOK["README.md"])
    same = {"base": base, "text": text.replace("\n", "\r\n")}
    assert developer.post(f"{handbook.href}/edit/README", data=same).status_code == 422
    sent = developer.post(f"{handbook.href}/edit/README", data={**same, "text": f"{text}\r\nAnd sends them.\r\n"})
    assert sent.status_code == 303, sent.text
    assert sent.headers["location"].startswith(f"/repositories/{handbook.repository.full_name}/changes/")
    change = developer.get(sent.headers["location"])
    assert change.status_code == 200
    assert "And sends them." in change.text


def test_entity_page_leads_to_documentation_and_runbook(handbook: Library) -> None:
    page = handbook.api.get(f"/catalog/component/default/{handbook.name}").text
    assert f'href="{handbook.href}"' in page
    assert f'href="{handbook.href}/latest/docs/runbook#text-first"' in page
    assert ">Docs</a>" in page


def test_runbook_has_an_address_that_stays_and_leads_to_the_section_of_an_alert(
    handbook: Library, server: RunningServer
) -> None:
    stable = f"/catalog/component/default/{handbook.name}/runbook"
    page = f"{handbook.href}/latest/docs/runbook"
    for asked, led in (
        (stable, f"{page}#text-first"),
        (f"{stable}/FIRST", f"{page}#text-first"),
        (f"{stable}/NoSuchAlert", f"{page}#text-first"),
        (f"{stable}/%3Cscript%3E", f"{page}#text-first"),
    ):
        answer = handbook.api.get(asked)
        assert (answer.status_code, answer.headers.get("location")) == (303, led)
    told = handbook.api.get(f"/api/v1{handbook.href}/runbook").json()
    assert told["href"] == stable
    assert told["sections"] == [{"title": "First", "href": f"{page}#text-first"}]
    assert handbook.api.get(f"{stable.removesuffix('/runbook')}-none/runbook").status_code == 404
    assert server.client().get(stable, headers={"accept": "application/json"}).status_code == 401
    other = handbook.api.get("/catalog/group/default/roadbed/runbook", headers={"accept": "application/json"})
    assert other.json()["code"] == "docs.runbook_not_found"


def test_runbook_is_shown_where_something_fails(handbook: Library, server: RunningServer) -> None:
    def page() -> str:
        return str(handbook.api.get(f"/catalog/component/default/{handbook.name}").text)

    async def report(state: Health) -> None:
        async with server.database.write() as session:
            status = StatusReport(key="health", state=state, summary="It crashes", source="tests")
            await report_status(session, EntityRef("Component", "default", handbook.name), status)

    server.run(report(Health.HEALTHY))
    assert "Runbook of " not in page()
    server.run(report(Health.FAILING))
    failing = page()
    assert "Runbook of " in failing
    assert f'href="{handbook.href}/latest/docs/runbook#text-first">First</a>' in failing


def test_command_line_lists_opens_and_builds(handbook: Library, server: RunningServer, tmp_path: Path) -> None:
    shell = RoadbedProcess(tmp_path / "home", url=server.base_url)
    token = server.token("developer")
    listed = shell.run("docs", "list", "-q", handbook.name, "-o", "json", token=token)
    assert [(site["ref"], site["state"]) for site in json.loads(listed.stdout)] == [
        (f"component:default/{handbook.name}", "ready")
    ]
    opened = shell.run("docs", "open", handbook.name, "--no-browser", token=token)
    assert opened.stdout.strip() == f"{server.base_url}{handbook.href}"
    built = shell.run("docs", "build", handbook.name, "--wait", token=token)
    assert built.returncode == 0, built.stderr
    assert shell.run("docs", "build", handbook.name, token=server.token("viewer")).returncode == 3
    versions = handbook.api.get(f"/api/v1{handbook.href}/versions").json()["items"]
    assert len(versions) == 1  # the same commit, built again
    assert server.client().get(f"/api/v1{handbook.href}").status_code == 401


def test_versions_stay_and_deleted_entities_lose_their_pages(library: Library) -> None:
    first = library.commit({"README.md": "# One\n", "docs/a.md": "# A\n"})
    library.register()
    library.built(first)
    second = library.commit({"README.md": "# Two\n", "docs/a.md": None})
    library.built(second)
    versions = library.api.get(f"/api/v1{library.href}/versions").json()["items"]
    assert [version["revision"] for version in versions] == [second, first]
    assert ">Two</h1>" in library.page("README").text.replace("\n", "")
    assert "An earlier version" in library.page("docs/a", first[:12]).text
    assert library.page("docs/a").status_code == 404
    back = library.api.get(f"{library.href}/latest", params={"page": "docs/a"})
    assert back.headers["location"] == f"{library.href}/latest/README"

    assert library.api.delete(f"/api/v1/locations/{library.location_id}").is_success
    wait_for(lambda: library.api.get(f"/api/v1{library.href}").status_code == 404)
    assert library.page("README").status_code == 404


def test_site_without_pages_fails_and_one_that_leads_nowhere_says_why(library: Library) -> None:
    library.annotations["backstage.io/techdocs-ref"] = "dir:./nothing"
    library.commit({"README.md": "# x\n"})
    library.register()
    assert library.failed()["error"]["message"] == "There is no Markdown in nothing."
    page = library.api.get(library.href)
    assert page.status_code == 200
    assert "There is no Markdown in nothing." in page.text
    library.annotations["backstage.io/techdocs-ref"] = "url:https://example.com/somebody/else"
    library.commit({})
    site = wait_for(library.site, lambda found: found["state"] is None)
    assert "not read from" in site["error"]["message"]
    assert "Leads nowhere" in library.api.get("/docs", params={"q": library.name}).text


def test_hostile_files_do_no_harm(library: Library) -> None:
    revision = library.commit(
        {
            "docs/index.md": "# Start\n\n[passwd](passwd.md) [out](../../etc/passwd) [c](javascript:alert(1))\n",
            "docs/deep.md": ">" * 50_000 + " x\n",
            "docs/long.md": "a" * 600_000,
            "docs/bytes.md": b"\xff\xfe# \x00 odd\n",
            "docs/bomb.md": f"[a]: /{'x' * 20_000}\n\n{'[a] ' * 400}\n",
        },
        links={"docs/passwd.md": "/etc/passwd"},
    )
    library.register()
    site = library.built(revision)
    reasons = {link["target"]: link["reason"] for link in library.links()}
    assert reasons["passwd.md"] == "There is no docs/passwd.md."
    assert reasons["../../etc/passwd"] == "It leads out of the repository."
    notes = " ".join(site["version"]["notes"])
    assert "docs/long.md is not shown: it has more than 500,000 characters." in notes
    assert "docs/bomb.md is not shown: " in notes
    assert library.page("docs/bytes").status_code == 200
    assert 'href="javascript' not in library.page("docs/index").text
    assert library.page("docs/passwd").status_code == 404

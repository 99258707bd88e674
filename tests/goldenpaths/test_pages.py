"""Pages of golden paths: the list, the questions, the review, and parts of other pages."""

import re
import socket
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import httpx
import pytest
import yaml

from roadbed.goldenpaths.models import DraftRow
from roadbed.kit.clock import now
from roadbed.scm.contract import FileContent
from tests.goldenpaths.conftest import Paths


class Form:
    """A person who goes through the pages of this test's path, without scripts."""

    def __init__(self, paths: Paths, role: str = "developer") -> None:
        self.paths = paths
        self.browser = paths.server.client_as(role)
        self.address = f"/create/default/{paths.name}"

    def get(self, path: str = "") -> str:
        answer = self.browser.get(f"{self.address}{path}")
        assert answer.status_code == 200, answer.text
        return unescape(answer.text)

    def answer(self, place: str = "", **answers: Any) -> httpx.Response:
        return self.browser.post(f"{self.address}{place}", data=answers)

    def reach_review(self, name: str) -> str:
        """Answer both pages of the template `service` and return the query of its review."""
        first = self.answer(name=name, owner="group:default/pages")
        assert first.status_code == 303, first.text
        draft = parse_qs(urlsplit(first.headers["location"]).query)["draft"][0]
        second = self.answer(f"?page=2&draft={draft}", extras="true", size="large", ports=["8080", "9090"])
        assert second.headers["location"] == f"{self.address}/review?draft={draft}"
        return f"?draft={draft}"

    def start(self, query: str) -> httpx.Response:
        key = re.search(r'name="key" value="([^"]+)"', self.get(f"/review{query}"))
        assert key is not None
        return self.answer(f"/review{query}", key=key[1])


@pytest.fixture
def form(paths: Paths) -> Form:
    paths.publish_folder("service")
    return Form(paths)


def test_group_that_came_with_roadbed_is_no_owner_to_choose(form: Form) -> None:
    group = {"apiVersion": "backstage.io/v1alpha1", "kind": "Group", "metadata": {"name": "choosable"}}
    document = {**group, "spec": {"type": "team", "children": []}}
    form.paths.server.client(form.paths.server.token()).post("/api/v1/entities", json=document).raise_for_status()
    page = form.get()
    assert 'value="group:default/choosable"' in page
    assert "group:default/roadbed" not in page


def test_create_page_shows_paths_with_their_facts_and_the_way_in(form: Form) -> None:
    page = unescape(form.browser.get("/create").text)
    assert f'href="{form.address}"' in page
    assert "A service of three files, for the tests." in page
    assert "Ask for a resource" in page
    assert 'href="/create" aria-current="page"' in page


def test_paths_are_narrowed_by_words_and_tag(form: Form) -> None:
    assert form.address in form.browser.get("/create?q=three+files&tag=small").text
    found = form.browser.get("/create?q=nothing-is-called-so").text
    assert form.address not in found
    assert "No path matches" in found


def test_required_answer_that_is_missing_is_said_at_its_field_and_the_others_stay(form: Form) -> None:
    answer = form.answer(name="", owner="group:default/kept", lifecycle="production")
    page = unescape(answer.text)
    assert answer.status_code == 422
    assert re.search(r'id="f-name"[^>]* aria-invalid="true" aria-describedby="f-name-error"', page)
    assert '<div class="field-error" id="f-name-error">' in page
    assert 'href="#f-name">Name: An answer is needed here.' in page
    assert 'value="group:default/kept"' in page
    assert '<option value="production" selected>' in page


def test_live_check_says_what_is_wrong_and_not_what_is_still_to_come(form: Form) -> None:
    headers = {"HX-Request": "true"}
    answer = form.browser.post(f"{form.address}/questions", data={"name": "My Orders", "owner": ""}, headers=headers)
    assert answer.status_code == 200
    assert answer.text.strip().startswith('<div id="questions">')
    assert 'data-value="my-orders"' in answer.text
    assert "An answer is needed here" not in answer.text


def test_answer_brings_its_question_with_and_without_scripts(form: Form) -> None:
    headers = {"HX-Request": "true"}
    live = form.browser.post(f"{form.address}/questions?page=2", data={"extras": "true"}, headers=headers)
    assert 'name="size"' in live.text
    posted = form.answer("?page=2", extras="true", **{"~asked": "extras ports token"})
    assert posted.status_code == 200
    assert 'name="size"' in posted.text
    assert "answer to correct" not in posted.text


def test_clients_that_leave_while_they_send_take_nothing_with_them(form: Form) -> None:
    """As a browser does that sends an answer and then goes on to the next page."""
    host = form.paths.server.base_url.removeprefix("http://")
    token = form.paths.server.token()
    head = (
        f"POST {form.address}/questions HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\nname="
    )
    for _ in range(15):  # more than there are connections to the database
        with socket.create_connection((host.partition(":")[0], int(host.rpartition(":")[2]))) as connection:
            connection.sendall(head.encode())
    assert form.answer("/questions", name="still-here").status_code == 200


def test_picker_finds_what_is_typed(form: Form) -> None:
    group = {
        "apiVersion": "backstage.io/v1alpha1",
        "kind": "Group",
        "metadata": {"name": "pages-typed"},
        "spec": {"type": "team", "children": [], "profile": {"displayName": "Team Typed"}},
    }
    assert form.paths.api.post("/api/v1/entities", json=group).status_code == 200
    found = form.browser.post(f"{form.address}/options?page=1&field=owner", data={"owner": "pages-ty"})
    assert '<option value="group:default/pages-typed">' in found.text
    assert "<option" not in form.browser.post(f"{form.address}/options?page=1&field=name", data={"name": "x"}).text


def test_back_and_edit_keep_the_answers(form: Form) -> None:
    query = form.reach_review("kept")
    draft = query.removeprefix("?")
    back = form.answer(f"?page=2&{draft}", extras="false", ports="7070", **{"~go": "back"})
    assert back.headers["location"] == f"{form.address}?{draft}&page=1"
    assert 'value="kept"' in form.get(f"?{draft}&page=1")
    assert 'value="7070"' in form.get(f"?{draft}&page=2")
    edited = form.answer(f"?page=1&then=review&{draft}", name="kept-too", owner="group:default/pages")
    assert edited.headers["location"] == f"{form.address}/review?{draft}"
    assert "kept-too" in form.get(f"/review?{draft}")


def test_review_shows_answers_files_repository_and_command(form: Form) -> None:
    page = form.get(f"/review{form.reach_review('shown')}")
    assert "Repository pages/shown" in page
    assert "├─ docs/" in page
    assert "└─ settings.ini" in page
    assert f"roadbed create {form.paths.name} --wait" in page
    assert "--set name=shown" in page
    assert "--set 'ports=[8080, 9090]'" in page
    assert "lifecycle=" not in page
    assert "Create service</button>" in page


def test_review_leads_to_the_page_of_an_answer_that_is_missing(form: Form) -> None:
    answer = form.browser.get(f"{form.address}/review")
    assert answer.headers["location"] == f"{form.address}?page=1&strict=true"
    assert "2 answers to correct" in form.get("?page=1&strict=true")


def test_second_click_leads_to_the_same_run_and_its_page_says_what_next(form: Form) -> None:
    query = form.reach_review("doubled")
    page = form.get(f"/review{query}")
    key = re.search(r'name="key" value="([^"]+)"', page)
    assert key is not None
    clicks = [form.answer(f"/review{query}", key=key[1]) for _ in range(2)]
    assert clicks[0].status_code == 303, clicks[0].text
    assert clicks[0].headers["location"] == clicks[1].headers["location"]
    run = form.paths.wait(clicks[0].headers["location"].rpartition("/")[2])
    assert run["state"] == "succeeded", run["error"]
    shown = unescape(form.browser.get(clicks[0].headers["location"]).text)
    assert "What next" in shown
    assert "Open doubled" in shown
    assert "git clone " in shown
    assert '<dt>Ports</dt><dd class="text-break">8080, 9090</dd>' in shown
    entity = unescape(form.browser.get("/catalog/component/default/doubled").text)
    assert "Created from" in entity
    assert f"{form.paths.name} 1.2.0" in entity
    assert f"/runs/{run['id']}" in entity


def test_name_that_is_taken_is_said_before_and_when_it_is_started(form: Form) -> None:
    query = form.reach_review("taken")
    first = form.start(query)
    form.paths.wait(first.headers["location"].rpartition("/")[2])
    page = form.get(f"/review{query}")
    assert "There is a repository pages/taken already" in page
    assert re.search(r'<button class="btn btn-primary"[^>]* disabled', page)
    again = form.answer(f"/review{query}", key="another")
    assert again.status_code == 409
    assert "There is a repository pages/taken already" in again.text


def test_answers_of_somebody_else_are_not_shown(form: Form) -> None:
    query = form.reach_review("private")
    other = Form(form.paths, "platform-engineer")
    answer = other.browser.get(f"{form.address}{query}")
    assert answer.status_code == 410
    assert "private" not in answer.text


def test_answers_are_forgotten_after_two_weeks(form: Form) -> None:
    query = form.reach_review("forgotten")

    async def age() -> None:
        async with form.paths.server.database.write() as session:
            row = await session.get_one(DraftRow, UUID(query.removeprefix("?draft=")))
            row.updated_at = now() - timedelta(days=15)

    form.paths.server.run(age())
    form.reach_review("newer")
    answer = form.browser.get(f"{form.address}/review{query}", headers={"Accept": "text/html"})
    assert answer.status_code == 410
    assert f"Begin again at {form.address}." in answer.text


def test_viewer_sees_what_a_path_asks_and_who_may_start_it(form: Form) -> None:
    viewer = Form(form.paths, "viewer")
    page = viewer.get()
    assert "which developers have" in page
    assert "Render the service" in page
    assert "<form method" not in page.partition('<main class="sheet"')[2].partition("</main>")[0]
    assert "Creating from a golden path is for developers" in viewer.browser.get("/create").text
    assert viewer.answer(name="denied", owner="x").status_code == 403
    assert viewer.answer("/review", key="denied").status_code == 403


def test_unknown_path_is_a_page_that_names_the_others(form: Form) -> None:
    answer = form.browser.get("/create/default/no-such-path", headers={"Accept": "text/html"})
    assert answer.status_code == 404
    assert "There is no golden path default/no-such-path." in answer.text
    assert form.paths.name in answer.text


def test_path_with_problems_says_them_and_cannot_be_started(paths: Paths) -> None:
    paths.publish_steps({"id": "fly", "name": "Fly", "action": "no:such-action"})
    form = Form(paths)
    page = form.get()
    assert "This path cannot be used as it is" in page
    assert "no:such-action, which this Roadbed does not have" in page
    assert "no:such-action" in form.browser.get("/create").text
    assert form.answer(name="never").status_code == 409


def test_template_page_has_the_button_that_begins(form: Form) -> None:
    page = form.browser.get(f"/catalog/template/default/{form.paths.name}").text
    assert f'<a class="btn btn-primary" href="{form.address}">' in page


def test_address_of_a_repository_is_asked_in_parts_and_kept_whole(paths: Paths) -> None:
    question = {
        "title": "Where",
        "type": "string",
        "ui:field": "RepoUrlPicker",
        "ui:options": {"allowedOwners": ["shop"]},
    }
    template = {
        "apiVersion": "scaffolder.backstage.io/v1beta3",
        "kind": "Template",
        "metadata": {"name": "set-later"},
        "spec": {
            "type": "service",
            "parameters": {"required": ["repoUrl"], "properties": {"repoUrl": question}},
            "steps": [{"id": "log", "name": "Log", "action": "debug:log"}],
        },
    }
    paths.publish({"path/template.yaml": FileContent(yaml.safe_dump(template).encode())})
    form = Form(paths)
    assert 'name="repoUrl.owner"' in form.get()
    missing = form.answer(**{"repoUrl.owner": "shop", "repoUrl.repo": ""})
    assert missing.status_code == 422
    assert 'id="f-repoUrl-repo-error"' in missing.text
    assert '<option value="shop" selected>' in missing.text
    done = form.answer(**{"repoUrl.owner": "shop", "repoUrl.repo": "orders"})
    assert "roadbed?owner=shop&repo=orders" in form.get(done.headers["location"].removeprefix(form.address))

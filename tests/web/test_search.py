"""Search as a page, as JSON and in the palette: names first, and nothing the reader may not see."""

import secrets
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect

from roadbed.core.actor import system_actor
from roadbed.runs.contract import RunPlan, StepPlan, start_run
from tests.identity.people import Person, new_person
from tests.support import RunningServer
from tests.web.browser import watch
from tests.web.test_home import put_component, read


@pytest.fixture(scope="module")
def word(server: RunningServer) -> str:
    """A word that some entities and a run have in their names."""
    word = f"s{secrets.randbelow(10**6):06}"  # no letters that the odd texts have
    for name in (f"a-pre{word}", f"b-{word}", f"{word}-c", word):
        put_component(server, name, owner=f"team-{word}x" if name == word else "nobody")

    async def start() -> None:
        async with server.database.write() as session:
            plan = RunPlan("test.search", f"Create {word} again", [StepPlan("one", "One", "test.echo")])
            await start_run(session, system_actor("test"), plan)

    server.run(start())
    return word


@pytest.fixture(scope="module")
def person(server: RunningServer) -> Person:
    return new_person(server, "viewer")


def search(client: httpx.Client, text: str) -> dict[str, list[dict[str, Any]]]:
    answer = client.get("/api/v1/search", params={"q": text})
    assert answer.status_code == 200, answer.text
    return {group["label"]: group["items"] for group in answer.json()["groups"]}


def test_better_names_come_first(server: RunningServer, word: str) -> None:
    found = search(server.client(server.token()), f"  {word.upper()} ")
    assert [hit["title"] for hit in found["Entities"]] == [word, f"{word}-c", f"b-{word}", f"a-pre{word}"]
    assert found["Entities"][0] == {
        "title": word,
        "href": f"/catalog/component/default/{word}",
        "icon": "box",
        "meta": f"Service · team-{word}x",
    }
    assert [hit["title"] for hit in found["Runs"]] == [f"Create {word} again"]


@pytest.mark.parametrize("text", ["", "   ", "%", "_", "\\", "'; drop", "(", "a\x00b", "x" * 200])
def test_odd_texts_are_searched_as_they_are(server: RunningServer, word: str, text: str) -> None:
    found = search(server.client(server.token()), text)
    assert word not in [hit["title"] for hit in found.get("Entities", [])]


def test_too_long_text_is_refused(server: RunningServer) -> None:
    answer = server.client(server.token()).get("/api/v1/search", params={"q": "x" * 201})
    assert answer.status_code == 422


def test_search_is_for_those_who_are_signed_in(server: RunningServer) -> None:
    assert server.client().get("/api/v1/search?q=a").status_code == 401


def test_place_whose_name_begins_so_comes_first(person: Person) -> None:
    answer = person.browser.get("/api/v1/search?q=cat")
    assert answer.json()["groups"][0]["label"] == "Go to"
    assert answer.json()["groups"][0]["items"][0]["href"] == "/catalog"


def test_places_that_the_reader_may_not_enter_are_not_found(server: RunningServer, person: Person) -> None:
    assert "Go to" not in search(person.browser, "audit")
    assert search(server.client(server.token()), "audit")["Go to"][0]["href"] == "/audit"


def test_page_groups_what_was_found_and_marks_the_match(person: Person, word: str) -> None:
    text = read(person.browser, f"/search?q={word}")
    assert f"<mark>{word}</mark>-c" in text
    assert f"Create <mark>{word}</mark> again" in text
    assert "Nothing of that name" in read(person.browser, "/search?q=nothing-is-called-so")
    assert "Search everything" in read(person.browser, "/search")


def test_palette_finds_as_one_types_and_enter_opens(
    server: RunningServer, browser: Browser, person: Person, word: str
) -> None:
    watched = watch(browser).open_as(person.session, server.base_url + "/runs")
    page = watched.page
    page.locator("main").focus()
    page.keyboard.press("/")
    page.keyboard.type(word)
    options = page.locator("#palette-results").get_by_role("option")
    expect(options.first).to_have_attribute("aria-selected", "true")
    expect(options).to_have_count(5)
    assert watched.find_accessibility_problems() == []
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/catalog/component/default/{word}-c")
    assert watched.problems == []
    page.context.close()


def test_search_works_without_scripts(server: RunningServer, browser: Browser, person: Person, word: str) -> None:
    page = watch(browser, width=360, scripts=False).open_as(person.session, server.base_url + "/").page
    page.get_by_role("link", name="Search or jump to").click()
    page.get_by_role("searchbox").fill(word)
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=f"{word}-c").click()
    page.wait_for_url(f"**/catalog/component/default/{word}-c")
    page.context.close()

"""The pages of runs: as text without scripts, and moving in a real browser."""

import re
import secrets
from collections.abc import Iterator
from types import SimpleNamespace
from uuid import UUID

import httpx
import pytest
from playwright.sync_api import Browser, Page, expect

from roadbed.core.actor import Actor, ActorKind
from roadbed.identity.contract import find_account, find_actor
from roadbed.kit.clock import now
from roadbed.runs.contract import RunPlan, StepPlan, resume_waits, start_run
from roadbed.runs.rules import choose_step, first_line_shown, initiator_words
from roadbed.runs.service import append_lines
from tests import steps as test_steps
from tests.identity.people import Person, new_person
from tests.runs.test_runs import echo, finish, look, start, wait_for
from tests.support import RunningServer
from tests.web.browser import WatchedPage, launch_browser, watch

LONG_LOG = 200_000


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with launch_browser() as launched:
        yield launched


@pytest.fixture(scope="module")
def person(server: RunningServer) -> Person:
    return new_person(server, "developer")


@pytest.fixture(scope="module")
def viewer(server: RunningServer) -> Person:
    return new_person(server, "viewer")


@pytest.fixture(scope="module")
def long_run(server: RunningServer) -> UUID:
    """A run that is not finished and has 200,000 lines in its first step."""
    plan = (echo("build"), StepPlan("wait", "Wait", "test.wait", {"name": secrets.token_hex(4)}))
    run_id = start(server, *plan).id
    _, steps = wait_for(server, run_id, lambda run, _: run.state == "waiting")

    async def fill() -> None:
        batch = 5_000
        for first in range(0, LONG_LOG, batch):
            lines = [(now(), "out", f"\x1b[32mline\x1b[0m of a build {first + n}") for n in range(batch)]
            async with server.database.write() as session:
                assert await append_lines(session, run_id, steps[0].id, lines, limit_bytes=10**9) == batch

    server.run(fill())
    return run_id


def read(client: httpx.Client, path: str) -> str:
    answer = client.get(path, headers={"accept": "text/html"})
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


def start_as(server: RunningServer, person: Person, *plan: StepPlan, title: str) -> UUID:
    async def work() -> UUID:
        async with server.database.write() as session:
            account = await find_account(session, person.name)
            assert account is not None
            actor: Actor | None = await find_actor(session, account.id)
            assert actor is not None
            return (await start_run(session, actor, RunPlan("test.pages", title, plan))).id

    return server.run(work())


def open_page(
    browser: Browser, server: RunningServer, person: Person, path: str, *, width: int = 1280, scripts: bool = True
) -> WatchedPage:
    return watch(browser, width=width, scripts=scripts).open_as(person.session, server.base_url + path)


def facts(page: Page) -> str:
    return page.locator(".facts").inner_text()


def test_list_has_views_and_takes_the_empty_choice_of_its_form(server: RunningServer, person: Person) -> None:
    title = f"Listed {secrets.token_hex(4)}"
    finish(server, start_as(server, person, echo("one"), title=title))
    text = read(person.browser, "/runs?kind=&state=")
    assert title in text
    assert ">you</td>" in text
    mine = read(person.browser, f"/runs?initiator=user:{person.name}")
    assert title in mine
    assert re.search(r'aria-current="page">Started by you', mine)
    assert title not in read(person.browser, "/runs?state=failed")
    assert "No run matches" in read(person.browser, "/runs?kind=nothing.of.this.kind")


def test_page_reads_without_scripts(server: RunningServer, browser: Browser, person: Person) -> None:
    run_id = start_as(server, person, echo("one", "first words"), echo("two", "second words"), title="Plain run")
    finish(server, run_id)
    page = open_page(browser, server, person, f"/runs/{run_id}", width=360, scripts=False).page
    expect(page.get_by_text("second words")).to_be_visible()
    page.get_by_role("link", name="Done One").click()
    expect(page.get_by_text("first words")).to_be_visible()
    expect(page.get_by_role("link", name="Download")).to_be_visible()
    page.context.close()


def test_page_moves_on_with_the_run_without_being_reloaded(
    server: RunningServer, browser: Browser, person: Person
) -> None:
    name = secrets.token_hex(4)
    plan = (echo("one"), StepPlan("wait", "Wait for it", "test.wait", {"name": name}), echo("last", "the last words"))
    run_id = start_as(server, person, *plan, title="Moving run")
    wait_for(server, run_id, lambda run, _: run.state == "waiting")
    watched = open_page(browser, server, person, f"/runs/{run_id}")
    page = watched.page
    assert "Waiting" in facts(page)
    page.evaluate("document.body.dataset.loaded = 'once'")

    async def resume() -> None:
        async with server.database.write() as session:
            await resume_waits(session, kind="test", key=name, result={})

    server.run(resume())
    expect(page.locator(".facts")).to_contain_text("Done after")
    expect(page.get_by_text("3 of 3 done")).to_be_visible()
    expect(page.get_by_role("button", name="Cancel…")).to_have_count(0)
    assert page.evaluate("document.body.dataset.loaded") == "once"
    assert watched.problems == []
    page.context.close()


def test_running_run_is_cancelled_from_its_page(server: RunningServer, browser: Browser, person: Person) -> None:
    run_id = start_as(server, person, echo("one"), StepPlan("hang", "Hang", "test.hang"), title="Hanging run")
    wait_for(server, run_id, lambda _, steps: steps[1].line_count > 0)
    watched = open_page(browser, server, person, f"/runs/{run_id}")
    page = watched.page
    expect(page.get_by_text("live")).to_be_visible()
    expect(page.get_by_role("button", name="Follow in shell")).to_have_attribute(
        "data-copy", f"roadbed runs follow {run_id}"
    )
    page.get_by_role("button", name="Cancel…").click()
    dialog = page.get_by_role("dialog", name="Cancel Hanging run")
    expect(dialog.get_by_label("Undo what it made so far")).to_be_checked()
    assert watched.find_accessibility_problems() == []
    dialog.get_by_role("button", name="Cancel run").click()
    expect(page.locator(".facts")).to_contain_text("Undone", timeout=20_000)
    _, steps = finish(server, run_id)
    assert [step.state for step in steps] == ["undone", "cancelled"]
    assert watched.problems == []
    page.context.close()


def test_undo_is_offered_only_to_whom_it_would_not_be_refused(server: RunningServer, person: Person) -> None:
    run_id = start_as(
        server, person, StepPlan("one", "One", "test.guarded"), StepPlan("hang", "Hang", "test.hang"), title="Guarded"
    )
    wait_for(server, run_id, lambda _, steps: steps[1].line_count > 0)
    offer, page = "Undo what it made so far", f"/runs/{run_id}"
    assert offer in server.client_as("admin").get(page).text
    assert offer in person.browser.get(page).text, "who started it takes back what is not finished"
    seen = server.client_as("developer").get(page).text
    assert "Cancel run" in seen
    assert offer not in seen
    assert "deleting some of that needs a permission that you do not have" in seen
    assert person.browser.post(f"{page}/cancel").status_code == 303
    finish(server, run_id)


def test_failed_run_says_why_and_is_retried_from_its_page(
    server: RunningServer, browser: Browser, person: Person
) -> None:
    name = secrets.token_hex(4)
    test_steps.broken.add(name)
    run_id = start_as(server, person, echo("one"), StepPlan("two", "Two", "test.fail", {"name": name}), title="Faulty")
    finish(server, run_id)
    watched = open_page(browser, server, person, f"/runs/{run_id}?step=one")
    page = watched.page
    expect(page.get_by_role("heading", name=f"{name} is broken.")).to_be_visible()
    expect(page.get_by_text("The run stopped at step 2 of 2, Two.")).to_be_visible()
    expect(page.get_by_label("The last lines that matter")).to_contain_text("it is broken")
    expect(page.get_by_text("Retry keeps step 1 and goes on with step 2.")).to_be_visible()
    test_steps.broken.remove(name)
    page.get_by_role("button", name="Retry from here").click()
    expect(page.locator(".facts")).to_contain_text("Done")
    assert watched.problems == []
    page.context.close()


def test_failed_run_is_undone_from_its_page(server: RunningServer, browser: Browser, person: Person) -> None:
    name = secrets.token_hex(4)
    test_steps.broken.add(name)
    run_id = start_as(server, person, echo("one"), StepPlan("two", "Two", "test.fail", {"name": name}), title="Undone")
    finish(server, run_id)
    page = open_page(browser, server, person, f"/runs/{run_id}").page
    page.get_by_role("button", name="Undo…").click()
    page.get_by_role("button", name="Undo what it made").click()
    expect(page.locator(".facts")).to_contain_text("Undone", timeout=20_000)
    assert look(server, run_id)[1][0].state == "undone"
    page.context.close()


def test_undo_asks_about_what_it_takes_back_and_leaves_no_way_to_what_is_gone(
    server: RunningServer, browser: Browser, person: Person
) -> None:
    links = {"repository": "shop/orders", "output": "Open it", "tests": "Results of Unit tests"}
    run_id = start_as(server, person, StepPlan("one", "One", "test.make", {"links": links}), title="Made")
    finish(server, run_id)
    page = open_page(browser, server, person, f"/runs/{run_id}").page
    expect(page.get_by_role("link", name="Open it")).to_be_visible()
    page.get_by_role("button", name="Undo…").click()
    expect(page.get_by_role("dialog").get_by_role("listitem")).to_have_text(["shop/ordersrepository"])
    page.get_by_role("button", name="Undo what it made").click()
    expect(page.locator(".facts")).to_contain_text("Undone", timeout=20_000)
    page.reload()
    expect(page.get_by_role("region", name="What was taken back")).to_contain_text("One")
    expect(page.get_by_role("link", name="Open it")).to_have_count(0)
    page.context.close()


def test_viewer_sees_the_run_and_no_button_that_steers_it(server: RunningServer, viewer: Person) -> None:
    name = secrets.token_hex(4)
    test_steps.broken.add(name)
    run_id = start(server, StepPlan("one", "One", "test.fail", {"name": name})).id
    finish(server, run_id)
    text = read(viewer.browser, f"/runs/{run_id}")
    assert f"{name} is broken." in text
    assert "Retry" not in text
    assert "Undo" not in text


def test_long_log_opens_at_its_end_and_only_new_lines_are_streamed(
    server: RunningServer, browser: Browser, person: Person, long_run: UUID
) -> None:
    text = read(person.browser, f"/runs/{long_run}?step=build")
    assert f"{LONG_LOG + 1:,} lines" in text
    assert text.count('role="option"') == 500
    watched = open_page(browser, server, person, f"/runs/{long_run}?step=build")
    expect(watched.page.locator(f"#L{LONG_LOG + 1}")).to_be_in_viewport()
    url = re.search(r'data-follow="([^"]+)"', text)
    assert url is not None
    with person.browser.stream("GET", url[1].replace("&amp;", "&")) as stream:
        for line in stream.iter_lines():
            assert line != "event: line", "a line that the page has was sent again"
            if line.startswith(":"):
                break
    assert watched.problems == []
    watched.page.context.close()


def test_earlier_lines_come_on_demand_and_a_linked_line_is_shown(
    server: RunningServer, browser: Browser, person: Person, long_run: UUID
) -> None:
    watched = open_page(browser, server, person, f"/runs/{long_run}?step=build&line=12345#L12345")
    page = watched.page
    line = page.locator("#L12345")
    expect(line).to_be_in_viewport()
    expect(line).to_have_attribute("aria-selected", "true")
    expect(page.locator("[data-log-lines] > li")).to_have_count(500)
    page.get_by_role("link", name="Earlier lines").click()
    expect(page.locator("[data-log-lines] > li")).to_have_count(1000)
    page.get_by_role("link", name="Newest lines").click()
    expect(page.locator(f"#L{LONG_LOG + 1}")).to_be_in_viewport()
    assert watched.problems == []
    page.context.close()


def test_stream_begins_where_its_address_says(server: RunningServer, person: Person) -> None:
    run_id = start(server, StepPlan("lines", "Lines", "test.lines", {"count": 20})).id
    _, steps = finish(server, run_id)
    url = f"/api/v1/runs/{run_id}/events?position={steps[0].id}:15"

    def numbers(**headers: str) -> list[str]:
        text = person.browser.get(url, headers=headers).text
        return re.findall(r'"number":(\d+)', text)

    assert numbers() == ["16", "17", "18", "19", "20"]
    assert numbers(**{"Last-Event-ID": f"{steps[0].id}:18"}) == ["19", "20"]


@pytest.mark.parametrize(
    ("count", "line", "first"),
    [(10, None, 1), (2_000, None, 1_501), (2_000, 1, 1), (2_000, 900, 650), (2_000, 1_990, 1_501), (0, None, 1)],
)
def test_page_shows_the_newest_lines_or_those_around_one(count: int, line: int | None, first: int) -> None:
    assert first_line_shown(count, line=line, limit=500) == first


def test_initiator_is_named_for_the_reader() -> None:
    reader = Actor(kind=ActorKind.USER, id="1", name="ada")
    assert [initiator_words(label, reader) for label in ("user:ada", "user:bob", "service:ci", "system:catalog")] == [
        "you",
        "bob",
        "ci",
        "Roadbed",
    ]


@pytest.mark.parametrize(
    ("states", "asked", "chosen"),
    [
        (("succeeded", "failed", "pending"), None, "b"),
        (("succeeded", "failed", "pending"), "a", "a"),
        (("succeeded", "running", "pending"), "no-such-step", "b"),
        (("succeeded", "succeeded", "waiting"), None, "c"),
        (("succeeded", "succeeded", "pending"), None, "b"),
        (("succeeded", "succeeded", "succeeded"), None, "b"),
        (("pending", "pending", "pending"), None, "a"),
    ],
)
def test_step_that_needs_a_look_is_chosen(states: tuple[str, ...], asked: str | None, chosen: str) -> None:
    steps = [
        SimpleNamespace(key=key, state=state, attempt=int(state != "pending"), line_count=int(key != "c"))
        for key, state in zip("abc", states, strict=True)
    ]
    found = choose_step(steps, asked)
    assert found is not None
    assert found.key == chosen

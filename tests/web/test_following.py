"""A run page that moves: lines, steps and the end come over the event stream."""

from collections.abc import Iterator
from typing import Any

import pytest
from jinja2 import FileSystemLoader
from playwright.sync_api import Browser, expect

from tests.web import style_page
from tests.web.browser import ROOT, WatchedPage, watch

TEMPLATES = ROOT / "tests" / "web" / "templates"


class Run:
    """A run of two steps whose events the test sends by hand."""

    def __init__(self) -> None:
        self.events = style_page.Stream()
        self.current = "render"
        self.done = 0
        self.lines = {"render": [{"number": 1, "spans": [("", "first")]}], "pipeline": []}

    def render(self) -> str:
        states = {name: ("run", "Running") if name == self.current else ("todo", "Not started") for name in self.lines}
        steps = [{"name": name, "kind": kind, "word": word, "href": "#"} for name, (kind, word) in states.items()]
        environment = style_page.make_environment(runs=FileSystemLoader(TEMPLATES))
        return environment.get_template("runs/run.html").render(
            {**style_page.make_frame(), "steps": steps, "done": self.done, "current": self.current}
            | {"lines": self.lines[self.current]}
        )

    def send(self, name: str, **data: Any) -> None:
        self.events.send(name, data)


@pytest.fixture
def run() -> Run:
    return Run()


@pytest.fixture
def followed(browser: Browser, run: Run) -> Iterator[WatchedPage]:
    """The page of a moving run, connected to its stream."""
    with style_page.serve({"/run": run.render}, streams={"/events": run.events}) as url:
        watched = watch(browser)
        with watched.page.expect_response("**/events?render"):
            watched.page.goto(url + "/run")
        yield watched
        watched.page.context.close()
        run.events.close()


def test_new_lines_come_once_with_their_colours(followed: WatchedPage, run: Run) -> None:
    run.send("line", step_id="render", number=1, text="first")
    run.send("line", step_id="render", number=2, text="\x1b[1;31mfailed\x1b[0m <b>plain</b>")
    run.send("line", step_id="pipeline", number=9, text="of another step")
    run.send("line", step_id="render", number=3, text="third")
    lines = followed.page.locator("[data-log-lines] li")
    expect(lines).to_have_text(["first", "failed <b>plain</b>", "third"])
    expect(lines.nth(1).locator(".ansi-red")).to_have_text("failed")
    lines.nth(2).click()
    expect(followed.page.locator("[data-log-range]")).to_have_text("Line 3")
    assert followed.problems == []


def test_steps_refresh_and_keep_the_log_and_what_is_typed(followed: WatchedPage, run: Run) -> None:
    page = followed.page
    run.send("line", step_id="render", number=2, text="second")
    expect(page.locator("[data-log-lines] li")).to_have_count(2)
    page.get_by_label("Note, kept in the audit log").fill("looks good")
    run.done = 1
    run.send("run", state="running")
    expect(page.get_by_text("1 of 2 done")).to_be_visible()
    expect(page.locator("[data-log-lines] li")).to_have_count(2)
    expect(page.get_by_label("Note, kept in the audit log")).to_have_value("looks good")
    assert followed.problems == []


def test_log_moves_on_with_the_run(followed: WatchedPage, run: Run) -> None:
    run.current = "pipeline"
    run.send("step", id="pipeline", state="running")
    expect(followed.page.get_by_role("heading", name="pipeline")).to_be_visible()
    run.send("line", step_id="pipeline", number=1, text="collected 3 items")
    expect(followed.page.locator("[data-log-lines] li")).to_have_text(["collected 3 items"])
    assert followed.problems == []


def test_end_of_the_run_ends_the_following(followed: WatchedPage, run: Run) -> None:
    run.done = 2
    run.send("end", state="succeeded")
    expect(followed.page.get_by_text("2 of 2 done")).to_be_visible()
    expect(followed.page.get_by_role("button", name="Stop following")).to_be_hidden()

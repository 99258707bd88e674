"""Home: what needs the reader, what is theirs, what runs, what changed; and nothing they may not see."""

import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import httpx
from sqlalchemy import event

from roadbed.catalog.contract import ChangeKind, Health, RecentChange, StatusReport, report_status
from roadbed.core.actor import Actor
from roadbed.identity.contract import find_actor
from roadbed.kit.clock import now
from roadbed.kit.refs import parse_ref
from roadbed.runs.contract import RunPlan, StepPlan, start_run
from roadbed.web.happenings import tell
from tests import steps
from tests.identity.people import Person, create_account, new_browser, new_person, sign_in
from tests.runs.test_runs import wait_for
from tests.support import RunningServer
from tests.web import style_page

MOST_QUERIES = 13


def new_owner(server: RunningServer) -> tuple[Person, Actor, str]:
    """Return a developer who is in a group of the catalog, and the group's name."""
    team = f"home-{secrets.token_hex(4)}"
    account = create_account(server, roles=["developer"], entity_ref=f"user:default/{team}-user")
    put(server, "Group", team, type="team", children=[], profile={"displayName": f"Team {team}"})
    put(server, "User", f"{team}-user", memberOf=[team])
    browser = new_browser(server)
    sign_in(browser, account["name"], account["one_time_password"])
    password = "a long enough password"
    browser.post("/sign-in/password", data={"password": password, "repeated": password})

    async def find() -> Actor | None:
        async with server.database.read() as session:
            return await find_actor(session, UUID(account["id"]))

    actor = server.run(find())
    assert actor is not None
    return Person(account["name"], password, browser), actor, team


def put(server: RunningServer, kind: str, name: str, **spec: Any) -> None:
    entity = {"apiVersion": "backstage.io/v1alpha1", "kind": kind, "metadata": {"name": name}, "spec": spec}
    answer = server.client(server.token()).post("/api/v1/entities", json=entity)
    assert answer.status_code == 200, answer.text


def put_component(server: RunningServer, name: str, *, owner: str) -> None:
    put(server, "Component", name, type="service", lifecycle="production", owner=owner)


def read(browser: httpx.Client, path: str = "/") -> str:
    answer = browser.get(path)
    assert answer.status_code == 200, answer.text
    return re.sub(r"\s+", " ", answer.text)


@contextmanager
def counted(server: RunningServer) -> Iterator[list[str]]:
    """Note the statements that the server sends to its database."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        statements.append(statement)

    engine = server.database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        event.remove(engine, "before_cursor_execute", note)


def test_whoever_is_not_signed_in_is_led_to_the_sign_in(server: RunningServer) -> None:
    answer = new_browser(server).get("/")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=%2F")


def test_home_shows_what_a_group_of_the_reader_owns_with_its_health(server: RunningServer) -> None:
    person, _, team = new_owner(server)
    put_component(server, f"{team}-a", owner=team)
    put_component(server, f"{team}-b", owner=team)
    put_component(server, f"{team}-of-others", owner="somebody-else")

    async def report() -> None:
        async with server.database.write() as session:
            words = StatusReport(key="health", state=Health.FAILING, summary="0 of 2 are ready", source="tests")
            await report_status(session, parse_ref(f"component:{team}-a"), words)

    server.run(report())
    text = read(person.browser)
    assert f"You own 2 entities as Team {team}." in text
    assert "1 thing needs you" in text
    assert f"{team}-a is failing" in text
    assert "0 of 2 are ready" in text
    assert "no check declared" in text
    assert f"{team}-b</a></strong>" in text or f">{team}-b</a>" in text
    assert f"{team}-of-others" not in text


def test_home_takes_few_queries(server: RunningServer) -> None:
    person, _, team = new_owner(server)
    for number in range(5):
        put_component(server, f"{team}-{number}", owner=team)
    with counted(server) as of_any_page:
        read(person.browser, "/search")  # who asks, and the numbers in the rail
    with counted(server) as statements:
        read(person.browser)
    assert len(statements) - len(of_any_page) <= MOST_QUERIES, "\n\n".join(statements)


def test_failed_run_needs_who_started_it_until_a_later_one_follows(server: RunningServer) -> None:
    person, actor, team = new_owner(server)
    steps.broken.add(team)

    async def start(title: str) -> UUID:
        async with server.database.write() as session:
            plan = RunPlan("test.home", title, [StepPlan("one", "One", "test.fail", {"name": team})], subject=team)
            return (await start_run(session, actor, plan)).id

    def finish(title: str) -> None:
        wait_for(server, server.run(start(title)), lambda run, _: run.finished_at is not None)

    finish(f"First of {team}")
    assert f"First of {team} failed" in read(person.browser)
    steps.broken.remove(team)
    finish(f"Second of {team}")
    assert "failed</a>" not in read(person.browser)


def test_whose_account_is_not_linked_is_told_why_nothing_is_theirs(server: RunningServer) -> None:
    put_component(server, f"home-{secrets.token_hex(4)}", owner="nobody")
    person = new_person(server, "viewer")
    text = read(person.browser)
    assert f"The catalog has no user:default/{person.name}, to which your account is linked" in text
    assert "An admin can link it to another." in text
    assert "Register entities" not in text
    admin = new_person(server, "admin")
    assert f'href="/platform/accounts/{admin.name}">Link your account' in read(admin.browser)


def test_changes_that_belong_together_are_told_in_one_line() -> None:
    def change(name: str, kind: ChangeKind = ChangeKind.CREATED, run: int | None = 1) -> RecentChange:
        run_id = UUID(int=run) if run else None
        return RecentChange(parse_ref(f"component:{name}"), name, kind, "user:ada", run_id, now())

    told = tell(
        [
            *(change(name) for name in ("a", "b", "c", "d")),
            change("e", run=2),
            change("e", ChangeKind.DELETED, run=2),
            change("f", run=None),
            change("g", run=None),
        ],
        limit=10,
    )
    assert [([title for title, _ in line.subjects], line.more, line.verb) for line in told] == [
        (["a", "b"], 2, "were added"),
        (["e"], 0, "was added"),
        (["e"], 0, "was removed"),
        (["f", "g"], 0, "were added"),
    ]
    assert told[2].subjects == (("e", None),)
    cut = tell([change("a", run=2), *(change(name) for name in ("b", "c", "d", "e"))], limit=10, is_cut=True)
    assert [line.is_cut for line in cut] == [False, True], "only the oldest line may go on beyond what was read"
    assert len(tell([change("a"), change("b", run=2)], limit=1)) == 1


def test_admin_of_an_empty_installation_sees_the_first_steps() -> None:
    text = style_page.render("web/home.html", **style_page.make_empty_home())
    assert "a few steps to begin with" in text
    assert "Your account is linked to user:default/admin, which the catalog does not have yet" in text
    for href in ("/catalog/register", "/account/tokens", "/platform/accounts/new", "/platform/accounts/ada"):
        assert f'href="{href}"' in text
    assert "Needs you" not in text

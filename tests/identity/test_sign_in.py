"""Signing in: sessions, limits, and what must not be possible."""

import asyncio
import logging
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select, update

from roadbed.core.access import SESSION_COOKIE
from roadbed.core.db import WriteSession
from roadbed.core.settings import Settings
from roadbed.identity.contract import FirstStart
from roadbed.identity.models import Account, Session, SignInAttempt
from roadbed.identity.repository import find_account_by_name, lock_account
from roadbed.identity.rules import value_hash
from roadbed.identity.service.sign_in import purge
from roadbed.kit.clock import now
from tests.identity.people import PASSWORD, create_account, new_browser, new_name, new_person, sign_in
from tests.locks import meet
from tests.support import RunningServer


def test_first_start_gives_admin_a_one_time_password(server: RunningServer) -> None:
    first = server.services.get(FirstStart)
    assert first.account == "admin"
    assert first.password is None or first.password.startswith("one-time-")
    assert first.password is None or first.password not in repr(first)
    admin = server.client(server.token()).get("/api/v1/accounts/admin").json()
    assert admin["roles"] == ["admin"]


def test_one_time_password_leads_to_the_choice_of_an_own_one(server: RunningServer) -> None:
    account = create_account(server)
    browser = new_browser(server)
    answer = sign_in(browser, account["name"], account["one_time_password"], next="/account")
    assert answer.headers["location"] == "/sign-in/password?next=%2Faccount"
    page = browser.get(answer.headers["location"])
    assert "Choose a password" in page.text
    first_session = browser.cookies[SESSION_COOKIE]

    assert browser.get("/account").headers["location"].startswith("/sign-in?next=")  # nothing else is open yet
    assert browser.get("/api/v1/me").status_code == 401
    assert browser.get("/sign-in").headers["location"] == "/sign-in/password"

    answer = browser.post("/sign-in/password", data={"password": PASSWORD, "repeated": PASSWORD, "next": "/account"})
    assert answer.headers["location"] == "/account"
    assert browser.cookies[SESSION_COOKIE] != first_session
    assert browser.get("/account").status_code == 200
    assert browser.get("/sign-in/password").headers["location"] == "/sign-in"

    stale = new_browser(server)
    stale.cookies.set(SESSION_COOKIE, first_session)
    assert stale.get("/api/v1/me").status_code == 401
    assert sign_in(new_browser(server), account["name"], account["one_time_password"]).status_code == 401


@pytest.mark.parametrize(
    ("password", "repeated", "words"),
    [
        ("tiny-pw", "tiny-pw", "At least 12 characters"),
        (PASSWORD, PASSWORD + "x", "not the same password"),
        ("aaaaaaaaaaaaaaaa", "aaaaaaaaaaaaaaaa", "too few different characters"),
    ],
)
def test_weak_or_mistyped_own_password_is_refused_with_the_reason(
    server: RunningServer, password: str, repeated: str, words: str
) -> None:
    account = create_account(server)
    browser = new_browser(server)
    sign_in(browser, account["name"], account["one_time_password"])
    answer = browser.post("/sign-in/password", data={"password": password, "repeated": repeated})
    assert answer.status_code == 422
    assert words in answer.text
    assert password not in answer.text
    assert browser.get("/api/v1/me").status_code == 401


def test_choosing_a_password_needs_a_session_that_waits_for_it(server: RunningServer) -> None:
    answer = new_browser(server).post("/sign-in/password", data={"password": PASSWORD, "repeated": PASSWORD})
    assert answer.headers["location"] == "/sign-in"
    person = new_person(server)
    other = "an entirely different one"
    answer = person.browser.post("/sign-in/password", data={"password": other, "repeated": other})
    assert answer.headers["location"] == "/sign-in"
    assert sign_in(new_browser(server), person.name, person.password).status_code == 303


def test_name_is_read_without_regard_to_case(server: RunningServer) -> None:
    person = new_person(server)
    assert sign_in(new_browser(server), person.name.upper(), person.password).status_code == 303


def test_wrong_name_and_wrong_password_get_the_same_answer(server: RunningServer) -> None:
    person = new_person(server)
    program = create_account(server, kind="service", name=new_name("ci"))
    answers = [
        sign_in(new_browser(server), name, password)
        for name, password in (
            (person.name, "wrong wrong wrong"),
            (new_name("nobody"), "wrong wrong wrong"),
            (program["name"], "wrong wrong wrong"),
            (program["name"], ""),
            (person.name, "x" * 5000),
        )
    ]
    assert {answer.status_code for answer in answers} == {401}
    assert all("The name or the password is not right." in answer.text for answer in answers)
    assert not any(answer.cookies for answer in answers)


def test_cookie_is_for_this_host_alone_and_out_of_reach_of_scripts(server: RunningServer) -> None:
    person = new_person(server)
    cookie = sign_in(new_browser(server), person.name, person.password).headers["set-cookie"].lower()
    assert "httponly" in cookie
    assert "samesite=lax" in cookie
    assert "path=/" in cookie
    assert "domain" not in cookie
    assert "secure" not in cookie  # this server is reached without TLS


def test_sign_in_never_takes_over_a_session_that_was_planted(server: RunningServer) -> None:
    person = new_person(server)
    attacker = new_person(server)
    planted = attacker.session
    assert planted
    victim = new_browser(server)
    victim.cookies.set(SESSION_COOKIE, planted)
    assert sign_in(victim, person.name, person.password).status_code == 303
    fresh = victim.cookies.jar
    values = {cookie.value for cookie in fresh if cookie.name == SESSION_COOKIE}
    assert len(values - {planted}) == 1
    assert attacker.browser.get("/api/v1/me").status_code == 401  # what was planted has ended


def test_each_sign_in_gives_a_new_session_and_only_its_hash_is_stored(server: RunningServer) -> None:
    person = new_person(server)
    first = person.session
    sign_in(person.browser, person.name, person.password)
    second = person.session
    assert first
    assert second
    assert first != second

    async def stored() -> set[str]:
        async with server.database.read() as session:
            return set(await session.scalars(select(Session.value_hash)))

    hashes = server.run(stored())
    assert value_hash(second) in hashes
    assert second not in hashes
    assert value_hash(first) not in hashes


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "/\\evil.example", "/\t/evil.example"])
def test_sign_in_returns_to_pages_of_this_roadbed_only(server: RunningServer, target: str) -> None:
    person = new_person(server)
    assert sign_in(new_browser(server), person.name, person.password, next=target).headers["location"] == "/"
    assert person.browser.get("/sign-in", params={"next": target}).headers["location"] == "/"


def test_page_that_needs_a_person_leads_back_after_sign_in(server: RunningServer) -> None:
    person = new_person(server)
    browser = new_browser(server)
    answer = browser.get("/account/tokens?done=x")
    assert answer.headers["location"] == "/sign-in?next=%2Faccount%2Ftokens%3Fdone%3Dx"
    page = browser.get(answer.headers["location"])
    assert 'name="next" value="/account/tokens?done=x"' in page.text
    answer = sign_in(browser, person.name, person.password, next="/account/tokens?done=x")
    assert answer.headers["location"] == "/account/tokens?done=x"


@pytest.mark.parametrize("header", [{"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}])
def test_form_of_another_site_is_refused(server: RunningServer, header: dict[str, str]) -> None:
    person = new_person(server)
    for path in ("/sign-out", "/account/name", "/account/tokens"):
        answer = person.browser.post(path, data={"display_name": "Mallory", "name": "x"}, headers=header)
        assert answer.status_code == 403, path
        assert answer.json()["code"] == "request.cross_site"
    assert person.browser.get("/api/v1/me").json()["name"] == person.name
    answer = new_browser(server).post(
        "/sign-in", data={"name": person.name, "password": person.password}, headers=header
    )
    assert answer.status_code == 403  # nobody is signed in to an account that another site chose


def test_cookie_without_word_of_its_site_changes_nothing(server: RunningServer) -> None:
    person = new_person(server)
    client = server.client()
    client.cookies.set(SESSION_COOKIE, person.session or "")
    assert client.get("/api/v1/me").status_code == 200
    assert client.post("/api/v1/tokens", json={"name": "x"}).status_code == 403
    answer = client.post("/api/v1/tokens", json={"name": "x"}, headers={"Origin": "http://evil.example"})
    assert answer.status_code == 403
    answer = client.post("/api/v1/tokens", json={"name": "x"}, headers={"Origin": server.base_url})
    assert answer.status_code == 201


def test_sign_out_ends_the_session(server: RunningServer) -> None:
    person = new_person(server)
    value = person.session
    answer = person.browser.post("/sign-out")
    assert answer.headers["location"] == "/sign-in"
    assert person.session is None
    copy = new_browser(server)
    copy.cookies.set(SESSION_COOKIE, value or "")
    assert copy.get("/api/v1/me").status_code == 401
    assert copy.post("/sign-out").status_code == 303


def test_unused_session_ends(server: RunningServer) -> None:
    person = new_person(server)
    ends = {"expires_at": now() - timedelta(seconds=1)}

    async def let_pass() -> None:
        async with server.database.write() as session:
            await session.execute(
                update(Session).where(Session.value_hash == value_hash(person.session or "")).values(**ends)
            )

    server.run(let_pass())
    assert person.browser.get("/api/v1/me").status_code == 401

    async def clean() -> int:
        async with server.database.write() as session:
            await purge(session)
        async with server.database.read() as session:
            return len(list(await session.scalars(select(Session).where(Session.expires_at <= now()))))

    assert server.run(clean()) == 0


def test_use_moves_the_end_of_a_session(server: RunningServer) -> None:
    person = new_person(server)
    mine = Session.value_hash == value_hash(person.session or "")
    earlier = now() - timedelta(minutes=5)

    async def age() -> None:
        async with server.database.write() as session:
            values = {"last_seen_at": earlier, "expires_at": now() + timedelta(minutes=5)}
            await session.execute(update(Session).where(mine).values(**values))

    async def read() -> Session:
        async with server.database.read() as session:
            return (await session.scalars(select(Session).where(mine))).one()

    server.run(age())
    assert person.browser.get("/api/v1/me").status_code == 200
    row = server.run(read())
    hours = server.services.get(Settings).session.hours
    assert row.last_seen_at > earlier
    assert row.expires_at > now() + timedelta(hours=hours) - timedelta(minutes=1)


def test_failures_for_one_account_are_limited_wherever_they_come_from(server: RunningServer) -> None:
    person = new_person(server)
    limit = server.services.get(Settings).http.sign_in_attempts
    for number in range(limit):
        browser = new_browser(server, address=f"127.0.1.{number + 1}")
        assert sign_in(browser, person.name, "wrong wrong wrong").status_code == 401
    answer = sign_in(new_browser(server, address="127.0.1.200"), person.name, person.password)
    assert answer.status_code == 429
    assert 1 <= int(answer.headers["retry-after"]) <= 301
    assert "Too many sign-ins have failed" in answer.text
    assert "Try again in" in answer.text
    other = new_person(server)
    assert sign_in(new_browser(server), other.name, other.password).status_code == 303

    async def let_pass() -> None:
        async with server.database.write() as session:
            await session.execute(update(SignInAttempt).values(at=now() - timedelta(minutes=6)))

    server.run(let_pass())
    assert sign_in(new_browser(server), person.name, person.password).status_code == 303


def test_failures_from_one_address_are_limited_whatever_the_name(server: RunningServer) -> None:
    person = new_person(server)
    limit = server.services.get(Settings).http.sign_in_attempts
    browser = new_browser(server, address="127.0.2.1")
    for _ in range(limit):
        assert sign_in(browser, new_name("guess"), "wrong wrong wrong").status_code == 401
    assert sign_in(browser, person.name, person.password).status_code == 429
    assert sign_in(new_browser(server, address="127.0.2.2"), person.name, person.password).status_code == 303


def test_attempts_at_the_same_moment_count(server: RunningServer) -> None:
    person = new_person(server)
    limit = server.services.get(Settings).http.sign_in_attempts
    browsers = [new_browser(server, address=f"127.0.3.{number + 1}") for number in range(limit + 6)]
    with ThreadPoolExecutor(len(browsers)) as pool:
        answers = list(pool.map(lambda browser: sign_in(browser, person.name, "wrong wrong wrong"), browsers))
    statuses = [answer.status_code for answer in answers]
    assert statuses.count(401) == limit
    assert statuses.count(429) == 6


def test_success_forgets_the_failures_before(server: RunningServer) -> None:
    person = new_person(server)
    limit = server.services.get(Settings).http.sign_in_attempts
    for _ in range(2):
        for _ in range(limit - 1):
            sign_in(new_browser(server, address="127.0.4.1"), person.name, "wrong wrong wrong")
        assert sign_in(new_browser(server, address="127.0.4.1"), person.name, person.password).status_code == 303


def test_disabled_account_cannot_sign_in_and_its_sessions_end(server: RunningServer) -> None:
    person = new_person(server)
    admin = server.client(server.token())
    token = person.browser.post("/api/v1/tokens", json={"name": "laptop"}).json()["value"]
    assert admin.patch(f"/api/v1/accounts/{person.name}", json={"is_disabled": True}).status_code == 200
    assert person.browser.get("/api/v1/me").status_code == 401
    answer = server.client(token).get("/api/v1/me")
    assert (answer.status_code, answer.json()["code"]) == (403, "identity.account_disabled")
    answer = sign_in(new_browser(server), person.name, person.password)
    assert answer.status_code == 403
    assert "is disabled" in answer.text
    answer = sign_in(new_browser(server), person.name, "wrong wrong wrong")
    assert "is disabled" not in answer.text  # only who knows the password learns that

    admin.patch(f"/api/v1/accounts/{person.name}", json={"is_disabled": False})
    assert person.browser.get("/api/v1/me").status_code == 401
    assert sign_in(new_browser(server), person.name, person.password).status_code == 303


def test_outdated_hash_is_renewed_at_sign_in(server: RunningServer) -> None:
    person = new_person(server)

    async def read() -> str | None:
        async with server.database.read() as session:
            return await session.scalar(select(Account.password_hash).where(Account.name == person.name))

    async def weaken() -> None:
        weak = PasswordHasher(time_cost=1, memory_cost=8192, parallelism=1).hash(person.password)
        async with server.database.write() as session:
            await session.execute(update(Account).where(Account.name == person.name).values(password_hash=weak))

    server.run(weaken())
    before = server.run(read())
    assert before
    assert "m=8192" in before
    assert sign_in(new_browser(server), person.name, person.password).status_code == 303
    after = server.run(read())
    assert after
    assert after != before
    assert "m=47104" in after


def test_sign_in_is_in_the_audit_record_and_no_name_that_may_be_a_password(server: RunningServer) -> None:
    person = new_person(server)
    sign_in(new_browser(server), person.name, "wrong wrong wrong")
    sign_in(new_browser(server), "my-password-by-mistake", "x")
    admin = server.client(server.token())
    subject = f"account:{person.name}"
    actions = [entry["action"] for entry in admin.get("/api/v1/audit", params={"subject": subject}).json()["items"]]
    assert actions[0] == "identity.sign_in_failed"
    assert {"identity.signed_in", "identity.password_changed", "identity.account_created"} <= set(actions)
    failed = admin.get("/api/v1/audit", params={"subject": "account:unknown"}).json()["items"][0]
    assert failed["action"] == "identity.sign_in_failed"
    assert failed["address"] == "127.0.0.1"
    assert "my-password-by-mistake" not in admin.get("/api/v1/audit", params={"limit": 500}).text


def test_password_is_in_no_log_and_no_answer(server: RunningServer, caplog: pytest.LogCaptureFixture) -> None:
    secret = "Zitronen-7-im-Winter-42"
    with caplog.at_level(logging.DEBUG):
        person = new_person(server, password=secret)
        wrong = secret + "-wrong"
        answers = [
            sign_in(new_browser(server), person.name, wrong),
            sign_in(new_browser(server), person.name, secret),
            person.browser.post("/account/password", data={"current": wrong, "password": secret, "repeated": secret}),
            person.browser.post("/sign-in", content=b"\xff\xfe" + secret.encode()),
        ]
    assert secret not in caplog.text
    assert not any(secret in answer.text or secret in str(answer.headers) for answer in answers)


def test_old_password_is_refused_that_is_changed_while_it_is_checked(server: RunningServer) -> None:
    person = new_person(server)
    answers = []

    async def lock(session: WriteSession) -> Account:
        found = await find_account_by_name(session, person.name)
        account = await lock_account(session, found.id) if found else None
        assert account is not None
        return account

    async def change(session: WriteSession) -> None:
        (await lock(session)).password_hash = PasswordHasher().hash(f"another {PASSWORD}")

    async def sign_in_meanwhile() -> None:
        answers.append(await asyncio.to_thread(sign_in, new_browser(server), person.name, person.password))

    server.run(meet(server.database, lock, sign_in_meanwhile, change))
    assert answers[0].status_code == 401

"""People for tests: accounts that are made over REST and sign in as a browser does."""

import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from roadbed.core.access import SESSION_COOKIE
from tests.plain_http import NO_TLS
from tests.support import RunningServer

PASSWORD = "correct horse battery staple"


@dataclass
class Person:
    """An account with a password, and a browser that is signed in unless said otherwise."""

    name: str
    password: str
    browser: httpx.Client = field(repr=False)

    @property
    def session(self) -> str | None:
        return self.browser.cookies.get(SESSION_COOKIE)


def new_name(kind: str = "person") -> str:
    return f"{kind}-{secrets.token_hex(4)}"


def new_browser(server: RunningServer, *, address: str = "127.0.0.1") -> httpx.Client:
    """Return a client that behaves as a browser: it names its site, asks for pages, and keeps cookies.

    Args:
        server: where it goes.
        address: any of this machine's loopback addresses, to be somebody else for the limits on sign-in.
    """
    browser = httpx.Client(
        base_url=server.base_url,
        headers={
            "Accept": "text/html",
            "Sec-Fetch-Site": "same-origin",
            "User-Agent": "Mozilla/5.0 (X11; Linux) Firefox/150.0",
        },
        transport=httpx.HTTPTransport(local_address=address, verify=NO_TLS),
        timeout=60,
    )
    server.clients.append(browser)
    return browser


def create_account(server: RunningServer, **fields: Any) -> dict[str, Any]:
    """Create an account as an admin; returns the API's answer."""
    body = {"name": new_name(), "roles": ["viewer"], **fields}
    answer = server.client(server.token()).post("/api/v1/accounts", json=body)
    assert answer.status_code == 201, answer.text
    created: dict[str, Any] = answer.json()
    return created


def sign_in(browser: httpx.Client, name: str, password: str, **more: str) -> httpx.Response:
    return browser.post("/sign-in", data={"name": name, "password": password, **more})


def new_person(server: RunningServer, *roles: str, password: str = PASSWORD) -> Person:
    """Create a person with `roles`, who signs in and sets a password."""
    account = create_account(server, roles=list(roles or ("viewer",)))
    browser = new_browser(server)
    answer = sign_in(browser, account["name"], account["one_time_password"])
    assert answer.headers["location"] == "/sign-in/password", answer.text
    answer = browser.post("/sign-in/password", data={"password": password, "repeated": password})
    assert answer.status_code == 303, answer.text
    return Person(account["name"], password, browser)

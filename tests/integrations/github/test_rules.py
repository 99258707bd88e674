"""Decisions of the integration as tables: addresses, which repositories, people, signatures, deliveries."""

import base64
import hashlib
import hmac
import json
from datetime import UTC, datetime
from typing import Any

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key as generate_rsa_key
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from roadbed.integrations.github.rules.addresses import NoOrganisation, link_file, read_organisation
from roadbed.integrations.github.rules.deliveries import read_delivery
from roadbed.integrations.github.rules.discovery import choose
from roadbed.integrations.github.rules.options import find_fault, read_wanted
from roadbed.integrations.github.rules.people import find_direct_teams, write_people
from roadbed.integrations.github.rules.signatures import NoKey, is_authentic, sign_app_token
from roadbed.integrations.github.types import Delivery, People, Person, Repository, Team
from tests.integrations.github.published import make, webhook_schema


@pytest.mark.parametrize(
    ("text", "url", "api"),
    [
        ("acme", "https://github.com/acme", "https://api.github.com"),
        ("https://github.com/acme/", "https://github.com/acme", "https://api.github.com"),
        ("https://ghe.example.com/acme", "https://ghe.example.com/acme", "https://ghe.example.com/api/v3"),
        ("https://shop.ghe.com/acme", "https://shop.ghe.com/acme", "https://api.shop.ghe.com"),
        ("http://127.0.0.1:8080/acme", "http://127.0.0.1:8080/acme", "http://127.0.0.1:8080/api/v3"),
    ],
)
def test_organisation_is_read_from_its_address(text: str, url: str, api: str) -> None:
    found = read_organisation(text)
    assert (found.url, found.api_url) == (url, api)


@pytest.mark.parametrize(
    "text",
    ["", "acme/orders", "https://github.com", "http://ghe.example.com/acme", "https://token@github.com/acme", "a?b",
     "https://github.com/acme#x", "https://[::1/acme", "https://github.com/..", "-acme"],
)  # fmt: skip
def test_what_is_no_organisation_is_refused(text: str) -> None:
    with pytest.raises(NoOrganisation):
        read_organisation(text)


def test_link_leads_to_the_line() -> None:
    acme = read_organisation("acme")
    assert (
        link_file(acme, "orders", None, "a b/c.yaml", 7) == "https://github.com/acme/orders/blob/HEAD/a%20b/c.yaml#L7"
    )
    assert link_file(acme, "orders", "next", "c.yaml", 0) == "https://github.com/acme/orders/blob/next/c.yaml"


REPOSITORIES = [
    Repository("orders", "main", None, is_archived=False, is_fork=False, topics=frozenset({"Shop"})),
    Repository("Orders-Web", "main", None, is_archived=False, is_fork=False, topics=frozenset({"shop", "web"})),
    Repository("old", "main", None, is_archived=True, is_fork=False, topics=frozenset()),
    Repository("fork", "main", None, is_archived=False, is_fork=True, topics=frozenset()),
]


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ({}, ["Orders-Web", "fork", "orders"]),
        ({"archived": True, "forks": False}, ["Orders-Web", "old", "orders"]),
        ({"repositories": ["orders*"]}, ["Orders-Web", "orders"]),
        ({"repositories": ["orders*"], "exclude_repositories": ["*-web"]}, ["orders"]),
        ({"topics": ["SHOP"]}, ["Orders-Web", "orders"]),
        ({"topics": ["shop"], "exclude_topics": ["web"]}, ["orders"]),
        ({"exclude_repositories": ["*"]}, []),
    ],
)
def test_repositories_are_chosen_by_name_topic_and_state(options: dict[str, Any], names: list[str]) -> None:
    assert [one.name for one in choose(REPOSITORIES, read_wanted(options))] == names


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"token": "secret://a", "app_id": "1", "private_key": "secret://b"}, "one of them is enough"),
        ({"app_id": "1"}, "both its id and its private key"),
        ({"private_key": "secret://b"}, "both its id and its private key"),
        ({"app_id": "1", "private_key": "secret://b"}, None),
        ({}, None),
    ],
)
def test_credentials_that_contradict_each_other_are_told(options: dict[str, Any], words: str | None) -> None:
    fault = find_fault(read_wanted(options))
    assert (fault is None) if words is None else words in str(fault)


def test_people_are_in_the_lowest_of_the_teams_that_list_them() -> None:
    teams = (
        Team("core", "Core", "", "u", None, frozenset({"ada", "bob", "cyd"})),
        Team("web", "Web", "", "u", "core", frozenset({"ada", "cyd"})),
        Team("ui", "UI", "", "u", "web", frozenset({"cyd"})),
        Team("ops", "Ops", "", "u", "secret-parent", frozenset({"cyd"})),
    )
    people = People(teams, (Person("ada", "u", "p", "Ada", "ada@example.com"), Person("cyd", "u", "p")))
    assert find_direct_teams(people) == {"bob": {"core"}, "ada": {"web"}, "cyd": {"ui", "ops"}}
    files = {path: json.loads(text) for path, text in write_people(read_organisation("acme"), people, None).items()}
    assert files["@teams/web.yaml"]["spec"]["parent"] == "core"
    assert "parent" not in files["@teams/ops.yaml"]["spec"]  # its parent is not seen with this credential
    assert files["@users/ada.yaml"]["spec"] == {
        "profile": {"displayName": "Ada", "picture": "p", "email": "ada@example.com"},
        "memberOf": ["web"],
    }
    assert files["@users/cyd.yaml"]["spec"] == {
        "profile": {"displayName": "cyd", "picture": "p"},
        "memberOf": ["ops", "ui"],
    }


def pem(key: Any) -> str:
    text: bytes = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return text.decode()


def test_app_says_who_it_is_with_its_key() -> None:
    key = generate_rsa_key(65537, 2048)
    token = sign_app_token("4711", pem(key), at=datetime(2026, 11, 27, tzinfo=UTC))
    head, claims, signature = (base64.urlsafe_b64decode(part + "==") for part in token.split("."))
    assert json.loads(head) == {"alg": "RS256", "typ": "JWT"}
    assert json.loads(claims) == {"iss": "4711", "iat": 1795737540, "exp": 1795738140}
    key.public_key().verify(signature, token.rpartition(".")[0].encode(), PKCS1v15(), hashes.SHA256())


@pytest.mark.parametrize("text", ["", "secret-words", pem(generate_private_key(SECP256R1()))])
def test_what_is_no_key_is_told_without_its_text(text: str) -> None:
    with pytest.raises(NoKey) as told:
        sign_app_token("4711", text, at=datetime.now(UTC))
    assert not text or text not in str(told.value)


def test_only_who_knows_the_secret_signs() -> None:
    signature = "sha256=" + hmac.new(b"known", b"body", hashlib.sha256).hexdigest()
    assert is_authentic(signature, b"body", "known")
    assert not is_authentic(signature, b"other", "known")
    assert not is_authentic(signature.removeprefix("sha256="), b"body", "known")
    assert not is_authentic("", b"body", "known")


ACME = {"login": "acme"}
ORDERS = {"name": "orders", "default_branch": "main", "owner": ACME}


@pytest.mark.parametrize(
    ("event", "name", "values", "found"),
    [
        ("push", "push", {"ref": "refs/heads/x"}, Delivery("acme", "orders", branch="x", default_branch="main")),
        ("push", "push", {"ref": "refs/tags/v1"}, None),
        ("repository", "repository-created", {}, Delivery("acme", "orders")),
        ("repository", "repository-archived", {}, Delivery("acme", "orders")),
        ("organization", "organization-member-added", {}, Delivery("acme", has_people_changed=True)),
        ("membership", "membership-added", {}, Delivery("acme", has_people_changed=True)),
        ("team", "team-edited", {}, Delivery("acme", has_people_changed=True)),
        ("ping", "ping", {}, None),
    ],
)
def test_delivery_tells_what_changed(event: str, name: str, values: dict[str, Any], found: Delivery | None) -> None:
    payload = make(webhook_schema(name), "webhooks", **values)
    for part, known in (("organization", ACME), ("repository", ORDERS)):
        if part in payload:
            payload[part] |= known
    assert read_delivery(event, payload) == found


@pytest.mark.parametrize("payload", [[], "x", {}, {"organization": "acme"}, {"repository": {"owner": 1, "name": 2}}])
def test_strange_delivery_tells_nothing(payload: Any) -> None:
    assert all(read_delivery(event, payload) is None for event in ("push", "repository", "team", "other"))

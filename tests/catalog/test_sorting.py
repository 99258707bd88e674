"""Lists in an order of the reader's: page by page, downwards, and as the catalog was."""

import secrets

import httpx
import pytest

from tests.catalog.conftest import component, group
from tests.catalog.test_pages import HTML, page

YAML = {"content-type": "application/yaml"}
OWNERS = {"a": "team-2", "b": "team-1", "c": "", "d": "team-2", "e": ""}


def put_five(api: httpx.Client) -> str:
    """Put five entities, of which two have no owner, and return a word in their names."""
    word = f"sort{secrets.token_hex(3)}"
    text = "".join(
        component(f"{word}-{name}", owner=owner) if owner else group(f"{word}-{name}") for name, owner in OWNERS.items()
    )
    answer = api.post("/api/v1/entities", content=text, headers=YAML)
    assert answer.status_code == 200, answer.text
    return word


@pytest.fixture(scope="module")
def word(api: httpx.Client) -> str:
    return put_five(api)


def walk(api: httpx.Client, word: str, **params: str) -> str:
    """Return the last letters of the names, two a page."""
    found, cursor = "", None
    while True:
        asked = {"q": word, "limit": "2", **params, **({"cursor": cursor} if cursor else {})}
        answer = api.get("/api/v1/entities", params=asked).json()
        assert answer["total"] == len(OWNERS)
        found += "".join(item["metadata"]["name"][-1] for item in answer["items"])
        cursor = answer["next_cursor"]
        if cursor is None:
            return found


@pytest.mark.parametrize(
    ("sort", "names"),
    [
        ("", "abcde"),
        ("-title", "edcba"),
        ("owner", "badce"),
        ("-owner", "dabce"),
        ("kind", "abdce"),
        ("-kind", "ecdba"),
    ],
)
def test_pages_follow_the_order_and_what_has_no_value_comes_last(
    api: httpx.Client, word: str, sort: str, names: str
) -> None:
    assert walk(api, word, sort=sort) == names
    whole = api.get("/api/v1/entities/export", params={"q": word, "sort": sort, "columns": "name"}).text
    assert "".join(line[-1] for line in whole.split()[1:]) == names


def test_order_holds_for_the_catalog_as_it_was(api: httpx.Client) -> None:
    word = put_five(api)
    items = api.get("/api/v1/entities", params={"q": word}).json()["items"]
    then = max(item["updated_at"] for item in items)
    for name, owner in (("a", "team-0"), ("b", "team-9")):
        api.post("/api/v1/entities", content=component(f"{word}-{name}", owner=owner), headers=YAML)
    assert walk(api, word, sort="owner", as_of=then) == "badce"
    assert walk(api, word, sort="-owner", as_of=then) == "dabce"
    assert walk(api, word, sort="owner") == "adbce"


def test_headings_lead_to_the_order_and_say_which_it_is(api: httpx.Client, word: str) -> None:
    text = page(api, f"/catalog?q={word}&sort=-owner")
    assert f'aria-sort="descending"><a href="?q={word}&amp;sort=owner">Owner</a>' in text
    assert f'href="?q={word}&amp;sort=title">Name</a>' in text
    assert '<option value="-owner" selected>Owner, downwards</option>' in text
    assert api.get("/catalog?sort=colour", headers=HTML).status_code == 422

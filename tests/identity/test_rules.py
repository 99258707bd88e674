"""Pure decisions of identity."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from roadbed.core.access import Permission
from roadbed.core.actor import ANONYMOUS, Actor, ActorKind, system_actor
from roadbed.identity import rules

WRITE = Permission("catalog.entity.write", "Change entities")


def actor_with(*patterns: str, scopes: frozenset[str] | None = None) -> Actor:
    return Actor(ActorKind.USER, "1", "ada", roles=frozenset({"some"}), permissions=frozenset(patterns), scopes=scopes)


@pytest.mark.parametrize(
    ("pattern", "permission", "expected"),
    [
        ("*", "catalog.entity.write", True),
        ("catalog.*", "catalog.entity.write", True),
        ("catalog.entity.*", "catalog.entity.write", True),
        ("catalog.entity.write", "catalog.entity.write", True),
        ("catalog.entity", "catalog.entity.write", False),
        ("cat.*", "catalog.entity.write", False),
        ("catalog.entity.writer", "catalog.entity.write", False),
        ("runs.*", "catalog.entity.write", False),
        ("", "catalog.entity.write", False),
    ],
)
def test_pattern_takes_in_what_it_names(pattern: str, permission: str, expected: bool) -> None:
    assert rules.matches(pattern, permission) is expected


SEGMENT = st.sampled_from(["a", "b", "ab"])
NAMES = st.lists(SEGMENT, min_size=1, max_size=3).map(".".join)
PATTERNS = st.one_of(st.just("*"), NAMES, NAMES.map(lambda name: f"{name}.*"))


@given(patterns=st.lists(PATTERNS, max_size=3), wanted=PATTERNS, permission=NAMES)
def test_covered_pattern_takes_in_nothing_beyond(patterns: list[str], wanted: str, permission: str) -> None:
    if rules.covers(patterns, wanted) and rules.matches(wanted, permission):
        assert any(rules.matches(pattern, permission) for pattern in patterns)


@pytest.mark.parametrize(
    ("actor", "is_allowed", "words"),
    [
        (system_actor("runs"), True, "Roadbed itself"),
        (ANONYMOUS, False, "nobody is signed in"),
        (actor_with("*"), True, "* is in the roles"),
        (actor_with("catalog.entity.read"), False, "no role of user:ada (some) has catalog.entity.write"),
        (actor_with("*", scopes=frozenset({"runs.*"})), False, "limited to runs.*"),
        (actor_with("*", scopes=frozenset()), False, "limited to nothing"),
        (actor_with("*", scopes=frozenset({"catalog.*"})), True, "in the roles"),
        (actor_with("runs.*", scopes=frozenset({"*"})), False, "no role"),
        (Actor(ActorKind.USER, "1", "ada"), False, "user:ada has no role"),
    ],
)
def test_decision_gives_its_reason(actor: Actor, is_allowed: bool, words: str) -> None:
    decision = rules.RoleDecider().decide(actor, WRITE)
    assert decision.is_allowed is is_allowed
    assert words in decision.reason


def test_nobody_gives_what_they_do_not_have() -> None:
    assert rules.uncovered(actor_with("catalog.*"), ["catalog.entity.read"]) == []
    assert rules.uncovered(actor_with("catalog.*"), ["*", "runs.run.read"]) == ["*", "runs.run.read"]
    assert rules.uncovered(actor_with("*", scopes=frozenset({"identity.*"})), ["*"]) == ["*"]
    assert rules.uncovered(system_actor("local"), ["*"]) == []


@pytest.mark.parametrize("pattern", ["catalog.*", "catalog.entity.write", "*"])
def test_known_pattern_has_no_fault(pattern: str) -> None:
    assert rules.find_pattern_fault(pattern, [WRITE.name]) is None


@pytest.mark.parametrize(
    "pattern", ["", "catalog.**", "Catalog.*", "catalog entity", "runs.*", "catalog.entity", "*.read"]
)
def test_pattern_that_takes_in_nothing_has_a_fault(pattern: str) -> None:
    assert rules.find_pattern_fault(pattern, [WRITE.name])


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("/catalog?kind=api#top", "/catalog?kind=api#top"),
        ("/", "/"),
        (None, "/"),
        ("", "/"),
        ("https://evil.example/", "/"),
        ("//evil.example/", "/"),
        ("/\\evil.example/", "/"),
        ("\\\\evil.example", "/"),
        ("/\t/evil.example", "/"),
        ("/\n/evil.example", "/"),
        (" /catalog", "/"),
        ("/catalog evil", "/"),
        ("javascript:alert(1)", "/"),
        ("catalog", "/"),
        ("///evil.example", "/"),
        ("/sign-in?next=/sign-in", "/"),
        ("/sign-in/password", "/"),
        ("/sign-out", "/"),
        ("/" + "a" * 3000, "/"),
    ],
)
def test_return_address_is_a_path_of_this_roadbed(target: str | None, expected: str) -> None:
    assert rules.local_path(target) == expected


def test_token_tells_a_mistyped_one_from_a_wrong_one() -> None:
    value = rules.new_token_value()
    assert value.startswith("rbt_")
    assert rules.is_token_shaped(value)
    changed = value[:10] + ("a" if value[10] != "a" else "b") + value[11:]
    assert not rules.is_token_shaped(changed)
    assert not rules.is_token_shaped(value[:-1])
    assert not rules.is_token_shaped("ghp_" + value[4:])
    assert not rules.is_token_shaped("rbt_" + "é" * 46)
    assert rules.new_token_value() != value


@pytest.mark.parametrize(
    "password",
    [
        "short",
        "a" * 2000,
        "abababababababab",
        "adaadaadaadaada",
        pytest.param(rules.new_one_time_password(), id="one-time"),
    ],
)
def test_weak_password_has_a_fault(password: str) -> None:
    assert rules.find_password_fault(password, name="ada")


@pytest.mark.parametrize("password", ["correct horse battery staple", "пароль из многих слов", "x8#kQ!9zPw2m"])
def test_long_password_is_accepted(password: str) -> None:
    assert rules.find_password_fault(password, name="ada") is None


@pytest.mark.parametrize("name", ["", "a b", "-a", "a-", "a" * 64, "ada@example.com", "new", "New", "a/b", "ä"])
def test_name_that_no_address_takes_has_a_fault(name: str) -> None:
    assert rules.find_name_fault(name)


@pytest.mark.parametrize("name", ["ada", "Ada.Lovelace", "ci_2", "a", "a" * 63])
def test_plain_name_has_no_fault(name: str) -> None:
    assert rules.find_name_fault(name) is None


def test_addresses_of_one_ipv6_customer_count_together() -> None:
    assert rules.address_key("2001:db8:1:2::1") == rules.address_key("2001:db8:1:2:ffff::9")
    assert rules.address_key("2001:db8:1:2::1") != rules.address_key("2001:db8:1:3::1")
    assert rules.address_key("::ffff:192.0.2.1") == rules.address_key("192.0.2.1")
    assert rules.address_key(None) == "unknown"


def test_names_of_one_account_count_together() -> None:
    assert rules.account_key(" Ada ") == rules.account_key("ada")
    assert "ada" not in rules.account_key("ada")


def test_session_moves_on_with_use_up_to_its_end() -> None:
    at = datetime(2026, 11, 20, 12, tzinfo=UTC)
    idle = timedelta(hours=12)
    assert rules.session_expiry(at=at, ends_at=at + timedelta(days=30), idle=idle) == at + idle
    assert rules.session_expiry(at=at, ends_at=at + timedelta(hours=1), idle=idle) == at + timedelta(hours=1)


@pytest.mark.parametrize(
    ("user_agent", "expected"),
    [
        ("Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0", "Firefox on Linux"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/605.1 Version/18 Safari/605.1", "Safari on macOS"),
        ("curl/8.5.0", "A browser"),
        ("", "A browser"),
    ],
)
def test_browser_is_named_as_its_user_would(user_agent: str, expected: str) -> None:
    assert rules.browser_name(user_agent) == expected

"""Pure decisions: what patterns allow, what a name, password, token or return address may be."""

import hashlib
import ipaddress
import re
import secrets
import string
import zlib
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from roadbed.core.access import Decision, Permission
from roadbed.core.actor import Actor, ActorKind

BUILT_IN_ROLES = {
    "viewer": "Viewer",
    "developer": "Developer",
    "platform-engineer": "Platform engineer",
    "admin": "Admin",
}
ADMIN_ROLE = "admin"
EVERYTHING = "*"

TOKEN_PREFIX = "rbt_"  # noqa: S105 - the public beginning of every token, for secret scanners to find
ONE_TIME_PREFIX = "one-time-"
DEFAULT_TOKEN_DAYS = 90
MAX_TOKEN_DAYS = 366
PASSWORD_MIN = 12
PASSWORD_MAX = 1024  # hashing cost grows with length: a bound keeps sign-in from being a lever
ATTEMPT_WINDOW = timedelta(minutes=5)

_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_PATTERN = re.compile(r"\*|[a-z][a-z0-9_-]*(\.[a-z][a-z0-9_-]*)*(\.\*)?")
# The first match counts: browsers name those that they want to be taken for, too.
_BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
_SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iOS"),
    ("iPad", "iOS"),
    ("Windows", "Windows"),
    ("Mac OS X", "macOS"),
    ("Linux", "Linux"),
)
_ALPHABET = string.digits + string.ascii_letters
_SECRET_LENGTH = 40
_CHECKSUM_LENGTH = 6


def matches(pattern: str, permission: str) -> bool:
    """Tell whether `pattern` (`*`, `catalog.*`, or a full name) takes in the permission."""
    if pattern == EVERYTHING:
        return True
    if pattern.endswith(".*"):
        return permission.startswith(pattern[:-1])
    return pattern == permission


def covers(patterns: Iterable[str], wanted: str) -> bool:
    """Tell whether everything that the pattern `wanted` takes in is taken in by one of `patterns`."""
    for pattern in patterns:
        if pattern in (EVERYTHING, wanted):
            return True
        if pattern.endswith(".*") and wanted.startswith(pattern[:-1]):
            return True
    return False


def uncovered(actor: Actor, wanted: Iterable[str]) -> list[str]:
    """List the patterns of `wanted` that go beyond what `actor` may do: nobody can give what they do not have."""
    if actor.kind is ActorKind.SYSTEM:
        return []
    limits = [actor.permissions] if actor.scopes is None else [actor.permissions, actor.scopes]
    return sorted(pattern for pattern in set(wanted) if not all(covers(limit, pattern) for limit in limits))


def narrowing(roles: Iterable[tuple[Iterable[str], Mapping[str, str]]]) -> frozenset[tuple[str, str]]:
    """Return (permission, condition) of what several roles, given as patterns and conditions, narrow together.

    A role that gives a permission without a condition gives it for everything.
    """
    found = [(list(patterns), conditions) for patterns, conditions in roles]
    named = {permission for _, conditions in found for permission in conditions}
    return frozenset(
        (permission, conditions[permission])
        for permission in named
        if (giving := [conditions for patterns, conditions in found if covers(patterns, permission)])
        and all(permission in conditions for conditions in giving)
        for conditions in giving
    )


def find_widened(actor: Actor, patterns: Iterable[str], conditions: Mapping[str, str]) -> list[str]:
    """List the permissions that a role would give for more objects than `actor` has them for."""
    limits = {name: set(actor.conditions_of(name)) for name, _ in actor.conditions}
    given = list(patterns)
    return sorted(
        name for name, allowed in limits.items() if covers(given, name) and conditions.get(name) not in allowed
    )


def decide(actor: Actor, permission: Permission) -> Decision:
    """Decide from the patterns of the actor's roles, and the scopes of its token."""
    if actor.kind is ActorKind.SYSTEM:
        return Decision(is_allowed=True, reason="Roadbed itself may do what its code does.")
    if not actor.is_authenticated:
        return Decision(is_allowed=False, reason="nobody is signed in.")
    if actor.scopes is not None and not any(matches(scope, permission.name) for scope in actor.scopes):
        limit = ", ".join(sorted(actor.scopes)) or "nothing"
        return Decision(is_allowed=False, reason=f"this token is limited to {limit}.")
    if not actor.roles:
        return Decision(is_allowed=False, reason=f"{actor.label} has no role.")
    roles = ", ".join(sorted(actor.roles))
    found = sorted(pattern for pattern in actor.permissions if matches(pattern, permission.name))
    if found:
        return Decision(is_allowed=True, reason=f"{found[-1]} is in the roles of {actor.label} ({roles}).")
    return Decision(is_allowed=False, reason=f"no role of {actor.label} ({roles}) has {permission.name}.")


class RoleDecider:
    """Decides by `decide`: everything that it needs travels with the actor."""

    def decide(self, actor: Actor, permission: Permission) -> Decision:
        return decide(actor, permission)


def seeded_patterns(role: str, permissions: Iterable[Permission]) -> list[str]:
    """Return the patterns that a built-in role has from the start."""
    if role == ADMIN_ROLE:
        return [EVERYTHING]
    return sorted(permission.name for permission in permissions if role in permission.roles)


def find_pattern_fault(pattern: str, known: Iterable[str]) -> str | None:
    """Return why `pattern` cannot be a permission pattern, or None. It must take in something that exists."""
    if not _PATTERN.fullmatch(pattern):
        return f"{pattern!r} is not a pattern: write a permission, `domain.*`, or `*`"
    if pattern != EVERYTHING and not any(matches(pattern, name) for name in known):
        return f"{pattern!r} takes in no permission that exists"
    return None


def find_name_fault(name: str) -> str | None:
    """Return why `name` cannot name an account or role, or None."""
    if name.lower() == "new":
        return "`new` is the address of the page for new ones"
    if _NAME.fullmatch(name):
        return None
    return "1 to 63 letters, digits, dots, dashes and underscores, beginning and ending with a letter or digit"


def find_password_fault(password: str, *, name: str) -> str | None:
    """Return why `password` is not accepted for the account `name`, or None.

    Length is what counts (NIST SP 800-63B-4, 3.1.1.2); no mixture of characters is asked for.
    """
    if len(password) < PASSWORD_MIN:
        return f"At least {PASSWORD_MIN} characters. A few words in a row are easy to remember."
    if len(password) > PASSWORD_MAX:
        return f"At most {PASSWORD_MAX} characters."
    if len(set(password)) < 5:
        return "It repeats too few different characters."
    if password.lower() in (name.lower() * 20, f"roadbed-{name.lower()}") or password.startswith(ONE_TIME_PREFIX):
        return "It can be guessed. Choose another one."
    return None


def new_token_value() -> str:
    """Return a fresh token: a prefix, 238 random bits, and a checksum that tells a mistyped one from a wrong one."""
    body = "".join(secrets.choice(_ALPHABET) for _ in range(_SECRET_LENGTH))
    return TOKEN_PREFIX + body + _checksum(body)


def is_token_shaped(value: str) -> bool:
    """Tell whether `value` was made by `new_token_value`, of any Roadbed."""
    body = value[len(TOKEN_PREFIX) : -_CHECKSUM_LENGTH]
    return (
        value.startswith(TOKEN_PREFIX)
        and len(value) == len(TOKEN_PREFIX) + _SECRET_LENGTH + _CHECKSUM_LENGTH
        and value.isascii()
        and value[-_CHECKSUM_LENGTH:] == _checksum(body)
    )


def _checksum(body: str) -> str:
    number, digits = zlib.crc32(body.encode()), ""
    for _ in range(_CHECKSUM_LENGTH):
        number, rest = divmod(number, len(_ALPHABET))
        digits = _ALPHABET[rest] + digits
    return digits


def new_session_value() -> str:
    return secrets.token_urlsafe(32)


def new_one_time_password() -> str:
    """Return 100 random bits in groups that can be read out loud."""
    alphabet = "abcdefghjkmnpqrstuvwxyz23456789"
    groups = ["".join(secrets.choice(alphabet) for _ in range(5)) for _ in range(4)]
    return ONE_TIME_PREFIX + "-".join(groups)


def value_hash(value: str) -> str:
    """Return what is stored of a session or token. They are long and random, so one fast hash is enough."""
    return hashlib.sha256(value.encode()).hexdigest()


def account_key(name: str) -> str:
    """Return under what failed sign-ins of an account are counted."""
    return hashlib.sha256(name.strip().lower().encode()).hexdigest()[:32]


def address_key(address: str | None) -> str:
    """Return under what failed sign-ins from an address are counted; of IPv6 the /64, which one customer has whole."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return address or "unknown"
    if isinstance(parsed, ipaddress.IPv6Address):
        if parsed.ipv4_mapped:
            return str(parsed.ipv4_mapped)
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed)


def session_expiry(*, at: datetime, ends_at: datetime, idle: timedelta) -> datetime:
    return min(at + idle, ends_at)


def local_path(target: str | None) -> str:
    """Return `target` when it is a path of this Roadbed to return to after sign-in, else `/`.

    Browsers read `//host`, paths with backslashes or control characters as other places; none of these is let through.
    """
    if not target or not target.startswith("/") or target.startswith("//") or len(target) > 2000:
        return "/"
    if "\\" in target or any(ord(character) < 0x21 or ord(character) == 0x7F for character in target):
        return "/"
    parts = urlsplit(target)
    is_elsewhere = parts.scheme or parts.netloc
    is_sign_in = parts.path == "/sign-out" or parts.path.startswith("/sign-in")
    return "/" if is_elsewhere or is_sign_in else target


def browser_name(user_agent: str) -> str:
    """Return a browser as its user would name it: `Firefox on Linux`."""
    browser = next((name for mark, name in _BROWSERS if mark in user_agent), "A browser")
    system = next((name for mark, name in _SYSTEMS if mark in user_agent), None)
    return f"{browser} on {system}" if system else browser

"""Location refs, `type:target`, as Backstage writes them."""

import hashlib
import re
from dataclasses import dataclass

MANAGED_BY = "backstage.io/managed-by-location"
MANAGED_BY_ORIGIN = "backstage.io/managed-by-origin-location"
OWN_REPOSITORIES = "roadbed:roadbed/"
"""How the targets begin that name what Roadbed itself ships."""
VIEW_URL = "backstage.io/view-url"

_SCRIPT = re.compile(
    r"[\x00-\x20]*j[\r\n\t]*a[\r\n\t]*v[\r\n\t]*a[\r\n\t]*s[\r\n\t]*c[\r\n\t]*r[\r\n\t]*i[\r\n\t]*p[\r\n\t]*t[\r\n\t]*:",
    re.IGNORECASE,
)


class InvalidLocationRef(ValueError):
    """A text that names no location; the message says why."""


@dataclass(frozen=True)
class LocationRef:
    type: str
    target: str

    def __str__(self) -> str:
        return f"{self.type}:{self.target}"


def parse_location_ref(text: object) -> LocationRef:
    """Read `type:target`.

    Raises:
        InvalidLocationRef: the type or the target is missing, a bare URL is given, or the target is a script.
    """
    if not isinstance(text, str):
        kind = "number" if isinstance(text, int | float) and not isinstance(text, bool) else type(text).__name__
        raise InvalidLocationRef(f"Unable to parse location ref '{text}', unexpected argument {kind}")
    type_, colon, target = text.partition(":")
    if not colon or not type_ or not target:
        raise InvalidLocationRef(
            f"Unable to parse location ref '{text}', expected '<type>:<target>', e.g. 'url:https://host/path'"
        )
    if type_ in ("http", "https"):
        raise InvalidLocationRef(f"Invalid location ref '{text}', please prefix it with 'url:', e.g. 'url:{text}'")
    return _check_script(LocationRef(type_, target))


def location_entity_ref(type_: str, target: str) -> str:
    """Return the ref of the Location entity that stands for a location, named as Backstage names it."""
    name = hashlib.sha1(f"{type_}:{target}".encode(), usedforsecurity=False).hexdigest()
    return f"location:default/generated-{name}"


def is_script_url(text: str) -> bool:
    """Tell whether a browser would run the text when it stands in a link."""
    return _SCRIPT.match(text) is not None


def _check_script(ref: LocationRef) -> LocationRef:
    if ref.type == "url" and is_script_url(ref.target):
        raise InvalidLocationRef(f"Invalid location ref '{ref}', target is a javascript: URL")
    return ref

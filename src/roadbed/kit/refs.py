"""References to entities: `kind:namespace/name`, read and written exactly as Backstage does.

A ref keeps the spelling it was given, compares without regard to case, and prints in lower case. The parser splits and
does not judge: which characters a name may have is a rule of the catalog.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

DEFAULT_NAMESPACE = "default"


class InvalidRef(ValueError):
    """A text or mapping that is no reference; the message says why."""


@dataclass(frozen=True, eq=False)
class EntityRef:
    """A full reference. `str(ref)` is the identity of the entity: lower case, always with kind and namespace."""

    kind: str
    namespace: str
    name: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.namespace}/{self.name}".lower()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, EntityRef) and str(self) == str(other)

    def __hash__(self) -> int:
        return hash(str(self))

    def shorten(self, *, default_kind: str | None = None, default_namespace: str = DEFAULT_NAMESPACE) -> str:
        """Return the shortest text that reads back as this ref under the same defaults, for people."""
        namespace = "" if self.namespace.lower() == default_namespace.lower() else f"{self.namespace}/"
        kind = "" if default_kind and self.kind.lower() == default_kind.lower() else f"{self.kind.lower()}:"
        return f"{kind}{namespace}{self.name}"


def parse_ref(value: object, *, default_kind: str | None = None, default_namespace: str | None = None) -> EntityRef:
    """Read `[kind:][namespace/]name`, or a mapping with these keys.

    Args:
        value: a text such as `group:default/checkout`, or `{"kind": …, "namespace": …, "name": …}`.
        default_kind: used when the kind is absent; without it an absent kind is an error.
        default_namespace: used when the namespace is absent; `default` when not given.

    Raises:
        InvalidRef: a part is empty, or the kind is unknown.
    """
    if value is None or value == "":
        raise InvalidRef("Entity reference must not be empty")
    if isinstance(value, str):
        return _parse_text(value, default_kind, default_namespace)
    return _complete(value, _parts(value), default_kind, default_namespace)


@lru_cache(maxsize=16_384)
def _parse_text(text: str, default_kind: str | None, default_namespace: str | None) -> EntityRef:
    """Read a text; a catalog names the same owners and systems over and over."""
    return _complete(text, _split(text), default_kind, default_namespace)


def _complete(
    value: object,
    parts: tuple[str | None, str | None, str | None],
    default_kind: str | None,
    default_namespace: str | None,
) -> EntityRef:
    kind, namespace, name = parts
    kind = default_kind if kind is None else kind
    namespace = (default_namespace or DEFAULT_NAMESPACE) if namespace is None else namespace
    if not kind:
        raise InvalidRef(
            f"Entity reference {_show(value)} had missing or empty kind "
            '(e.g. did not start with "component:" or similar)'
        )
    if not namespace:
        raise InvalidRef(f"Entity reference {_show(value)} had missing or empty namespace")
    if not name:
        raise InvalidRef(f"Entity reference {_show(value)} had missing or empty name")
    return EntityRef(kind, namespace, name)


def ref_of(entity: Mapping[str, Any]) -> EntityRef:
    """Return the ref of an entity document whose envelope is known to be sound."""
    metadata = entity["metadata"]
    return EntityRef(entity["kind"], metadata.get("namespace") or DEFAULT_NAMESPACE, metadata["name"])


def _show(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=repr)


def _split(text: str) -> tuple[str | None, str | None, str]:
    colon, slash = text.find(":"), text.find("/")
    if slash != -1 and slash < colon:
        colon = -1  # a colon after the slash belongs to the name
    kind = text[:colon] if colon != -1 else None
    namespace = text[colon + 1 : slash] if slash != -1 else None
    name = text[max(colon, slash) + 1 :]
    if kind == "" or namespace == "" or not name:
        raise InvalidRef(
            f"Entity reference {json.dumps(text, ensure_ascii=False)} was not on the form [<kind>:][<namespace>/]<name>"
        )
    return kind, namespace, name


def _parts(value: object) -> tuple[str | None, str | None, str | None]:
    if not isinstance(value, Mapping):
        return None, None, None
    kind, namespace, name = (value.get(key) for key in ("kind", "namespace", "name"))
    for key, part in (("kind", kind), ("namespace", namespace), ("name", name)):
        if part is not None and not isinstance(part, str):
            raise InvalidRef(f"Entity reference has a {key} that is not a string: {part!r}")
    return kind, namespace, name

"""The relations of entities, as the index has them: in both directions, whether the other end is there or not."""

import orjson

from roadbed.catalog.rules.index.index import Index


def list_relations(index: Index, ref: str) -> list[tuple[str, str]]:
    """Return (type, target) of each relation of an entity; nothing when it is not there."""
    document = index.find(ref)
    if document is None:
        return []
    return [(relation["type"], relation["targetRef"]) for relation in orjson.loads(document)["relations"]]


def list_targets(index: Index, ref: str, type_: str) -> list[str]:
    """Return the refs that an entity is related to by one type of relation."""
    return [target for known, target in list_relations(index, ref) if known == type_]

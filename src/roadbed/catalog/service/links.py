"""The links that annotations of an entity imply, with the addresses that this installation has for them."""

from dataclasses import replace

from roadbed.catalog.rules.links.making import Links, imply_links
from roadbed.catalog.types import EntitySummary
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.health import SYSTEM_READ
from roadbed.core.services import Services
from roadbed.core.settings import Settings


def list_implied_links(services: Services, actor: Actor, entity: EntitySummary) -> Links:
    """Return what the annotations of an entity lead to; what lacks a setting is told only to who looks after those."""
    bases = services.get(Settings).catalog.links.model_dump(exclude_none=True)
    known = [str(link.get("url")) for link in entity.document["metadata"].get("links") or ()]
    links = imply_links(entity.annotations, bases, known=known)
    return links if services.get(DeciderService).has(actor, SYSTEM_READ) else replace(links, missing=())

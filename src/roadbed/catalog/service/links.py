"""The links that annotations of an entity imply, with the addresses that this installation has for them."""

from dataclasses import replace

from roadbed.catalog.rules.commits import find_file_href
from roadbed.catalog.rules.links.making import LONGEST, ImpliedLink, Links, imply_links
from roadbed.catalog.rules.links.table import ALERTS
from roadbed.catalog.rules.targets import TargetError, resolve
from roadbed.catalog.service.location_options import link_to
from roadbed.catalog.service.reading import EntityDetail
from roadbed.core.access import DeciderService
from roadbed.core.actor import Actor
from roadbed.core.health import SYSTEM_READ
from roadbed.core.services import Services
from roadbed.core.settings import Settings


def list_implied_links(services: Services, actor: Actor, detail: EntityDetail) -> Links:
    """Return what the annotations of an entity lead to; what lacks a setting is told only to who looks after those."""
    entity = detail.entity
    bases = services.get(Settings).catalog.links.model_dump(exclude_none=True)
    known = [str(link.get("url")) for link in entity.document["metadata"].get("links") or ()]
    links = imply_links(entity.annotations, bases, known=known)
    if (alerts := _find_alerts(services, detail)) is not None:
        links = replace(links, found=(*links.found, alerts))
    return links if services.get(DeciderService).has(actor, SYSTEM_READ) else replace(links, missing=())


def _find_alerts(services: Services, detail: EntityDetail) -> ImpliedLink | None:
    """Return where the rules of an entity's alerts are seen, when a file beside its own holds them."""
    value, location = detail.entity.annotations.get(ALERTS.annotation, "").strip(), detail.location
    if not value or len(value) > LONGEST or not value.isprintable() or location is None or not detail.entity.file:
        return None
    try:
        path = resolve(detail.entity.file, value)
    except TargetError:
        return None
    href = find_file_href(
        type_=location.type, target=location.target, revision=location.revision, path=path, line=1
    ) or link_to(services, location, path, 1)
    return ImpliedLink(ALERTS.annotation, value, ALERTS.title, href, ALERTS.icon) if href else None

"""Taking deliveries of webhooks: whoever knows the secret of a location can have it read again, and nothing else."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import orjson

from roadbed.audit.contract import record
from roadbed.catalog.contract import LocationNotFound, LocationSummary, get_location, refresh_location, remember
from roadbed.core.actor import system_actor
from roadbed.core.db import Database, ReadSession
from roadbed.core.services import Services
from roadbed.integrations.github.errors import DeliveryInvalid, DeliveryRefused
from roadbed.integrations.github.rules.addresses import read_organisation
from roadbed.integrations.github.rules.deliveries import read_delivery
from roadbed.integrations.github.rules.options import read_wanted
from roadbed.integrations.github.rules.signatures import is_authentic
from roadbed.integrations.github.service import files, people
from roadbed.integrations.github.types import Delivery, Wanted
from roadbed.kit.clock import now
from roadbed.secrets.contract import SecretNotFound, resolve

TYPE = "github"
ACTOR = system_actor("github")
ACCEPTED, IGNORED = "accepted", "ignored"
_REFUSALS_APART = timedelta(minutes=10)


class Refusals:
    """When a refused delivery of a location was last noted: a flood of them leaves one trace in ten minutes."""

    def __init__(self) -> None:
        self._noted: dict[UUID, datetime] = {}

    def is_new(self, location_id: UUID) -> bool:
        at = now()
        before = self._noted.get(location_id)
        if before is not None and at - before < _REFUSALS_APART:
            return False
        self._noted[location_id] = at
        return True


async def receive(services: Services, location_id: UUID, headers: Mapping[str, str], body: bytes) -> str:
    """Take a delivery; returns what became of it.

    Raises:
        DeliveryRefused: there is no such location, it takes no deliveries, or the sender does not know its secret.
        DeliveryInvalid: it is not JSON.
    """
    async with services.get(Database).read() as session:
        location = await _find(session, location_id)
        wanted = read_wanted(location.options.source) if location is not None else None
        secret = await _find_secret(session, wanted)
    if location is None or wanted is None or secret is None:
        raise _refusal()
    if not is_authentic(headers.get("x-hub-signature-256", ""), body, secret):
        await _note_refusal(services, location)
        raise _refusal()
    delivery = read_delivery(headers.get("x-github-event", ""), _read(body))
    if delivery is None or not _concerns(delivery, location, wanted):
        return IGNORED
    await _take(services, location, delivery)
    return ACCEPTED


async def _take(services: Services, location: LocationSummary, delivery: Delivery) -> None:
    mark = {"at": now().isoformat()}
    async with services.get(Database).write() as session:
        if delivery.repository is not None:
            await remember(session, location.id, files.STALE + delivery.repository, mark)
        if delivery.has_people_changed:
            await remember(session, location.id, people.STALE, mark)
        await refresh_location(session, ACTOR, location.id)
        await record(
            session,
            ACTOR,
            action="github.delivery_taken",
            subject=f"location:{location.id}",
            target=location.target,
            repository=delivery.repository,
            people=delivery.has_people_changed,
        )


def _concerns(delivery: Delivery, location: LocationSummary, wanted: Wanted) -> bool:
    """Tell whether a delivery is of the location's organisation and of what is read there."""
    if delivery.organisation.lower() != read_organisation(location.target).name.lower():
        return False
    if delivery.has_people_changed:
        return wanted.has_people
    read_branch = wanted.branch or delivery.default_branch
    return delivery.branch is None or read_branch is None or delivery.branch == read_branch


async def _find(session: ReadSession, location_id: UUID) -> LocationSummary | None:
    try:
        location = await get_location(session, location_id)
    except LocationNotFound:
        return None
    return location if location.type == TYPE else None


async def _find_secret(session: ReadSession, wanted: Wanted | None) -> str | None:
    if wanted is None or wanted.webhook_secret is None:
        return None
    try:
        return (await resolve(session, wanted.webhook_secret)).strip()
    except SecretNotFound:
        return None


async def _note_refusal(services: Services, location: LocationSummary) -> None:
    if services.get(Refusals).is_new(location.id):
        async with services.get(Database).write() as session:
            await record(
                session,
                ACTOR,
                action="github.delivery_refused",
                subject=f"location:{location.id}",
                target=location.target,
            )


def _read(body: bytes) -> Any:
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise DeliveryInvalid(
            f"The delivery is not JSON: {error}.", hint="Set the webhook's content type to application/json."
        ) from error


def _refusal() -> DeliveryRefused:
    return DeliveryRefused(
        "This delivery is not signed with the secret of the webhook of a location.",
        hint="Compare the address and the secret with those of the location in Roadbed.",
    )

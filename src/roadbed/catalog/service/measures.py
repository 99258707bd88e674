"""What Prometheus is told about the reading of locations: how far it is behind, and what goes wrong where."""

from collections.abc import Sequence

from roadbed.catalog.repository import locations as rows
from roadbed.catalog.service.reading import count_for, get_backlog
from roadbed.catalog.service.views import summarise_location
from roadbed.catalog.types import LocationSummary
from roadbed.core.db import ReadSession
from roadbed.core.telemetry import Figure
from roadbed.kit.clock import now

_MOST = 1000
"""Locations that have series of their own: the first registered; all are counted."""


async def measure_locations(session: ReadSession, /) -> Sequence[Figure]:
    """Return the figures of all locations."""
    locations = [summarise_location(row) for row in await rows.list_locations(session, limit=_MOST)]
    counts = await count_for(session, [location.id for location in locations])
    backlog = await get_backlog(session)
    total, failing = await rows.count_locations(session)
    pending_seconds = 0.0 if backlog.oldest is None else (now() - backlog.oldest).total_seconds()
    figures = [
        Figure("roadbed_catalog_locations", "Locations.", total),
        Figure("roadbed_catalog_locations_failing", "Locations that cannot be read, or have errors.", failing),
        Figure("roadbed_catalog_locations_overdue", "Locations that nobody looked at in time.", backlog.overdue),
        Figure("roadbed_catalog_readings_pending", "Readings of locations that have not ended.", backlog.unread),
        Figure("roadbed_catalog_readings_waiting", "Of these, those that wait for their source.", backlog.waiting),
        Figure("roadbed_catalog_oldest_pending_seconds", "Age of the oldest look or reading due.", pending_seconds),
    ]
    for location in locations:
        figures += _measure_one(location, counts.errors.get(location.id, 0))
    return figures


def _measure_one(location: LocationSummary, errors: int) -> list[Figure]:
    labels = {"location": str(location.id), "type": location.type, "target": location.target}
    figures = [
        Figure("roadbed_catalog_location_errors", "Errors in what was read from a location.", errors, labels),
        Figure(
            "roadbed_catalog_location_unreadable",
            "1 while a location as a whole cannot be read.",
            location.error is not None,
            labels,
        ),
    ]
    budget = location.report.get("budget")
    if budget is not None:
        left = "Requests that the host of a location takes before it counts anew."
        figures += [
            Figure("roadbed_catalog_location_requests_remaining", left, budget["remaining"], labels),
            Figure(
                "roadbed_catalog_location_requests_limit",
                "Requests that the host takes in one period.",
                budget["limit"],
                labels,
            ),
        ]
    return figures

"""The sample organisation: what `roadbed up --sample` puts into an empty catalog."""

import structlog

from roadbed.catalog.contract import LocationExists, LocationType, get_overview, register_location
from roadbed.core.actor import system_actor
from roadbed.core.bundled import bundled
from roadbed.core.db import Database
from roadbed.core.services import Services
from roadbed.identity.contract import AccountChange, FirstStart, change_account

log = structlog.get_logger(__name__)

ACTOR = system_actor("sample")
YOU = "user:default/ines"  # of Team Checkout: so that Home shows something of one's own


async def load_sample(services: Services) -> None:
    """Register the organisation, unless the catalog holds something already."""
    target = str(bundled("examples") / "northmoor" / "all.yaml")
    try:
        async with services.get(Database).write() as session:
            if not (await get_overview(session)).is_empty:
                return
            await register_location(session, ACTOR, type_=LocationType.FILE, target=target)
            await change_account(session, ACTOR, services.get(FirstStart).account, AccountChange(entity_ref=YOU))
    except LocationExists:  # a start before this one was cut short: its run goes on by itself
        return
    log.info("sample.registered", target=target)

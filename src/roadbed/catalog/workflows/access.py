"""How a git location is reached: whether git may connect to its host, and with which credential."""

from roadbed.catalog.errors import LocationUnreadable
from roadbed.catalog.rules.git_options import find_fault, list_traces, read_credential, write_settings
from roadbed.catalog.rules.targets import GitTarget
from roadbed.catalog.types import LocationSummary
from roadbed.catalog.workflows.git import Access, check_place
from roadbed.core.db import Database
from roadbed.core.errors import RoadbedError
from roadbed.core.outbound import Outbound
from roadbed.core.services import Services
from roadbed.secrets.contract import SecretMask, resolve


async def open_access(services: Services, location: LocationSummary, target: GitTarget) -> Access:
    """Return how git may reach the repository of a location.

    Raises:
        LocationUnreadable: its host is not for the open network, or its credential is not there.
    """
    settings = await check_place(services.get(Outbound), target.url)
    credential = read_credential(location.options.source)
    if credential is None:
        return Access(settings)
    fault = find_fault(target.url, location.options.source)
    if fault is not None:
        raise LocationUnreadable(fault, hint="Correct the settings of the location.")
    try:
        async with services.get(Database).read() as session:
            value = (await resolve(session, credential.reference)).strip()
    except RoadbedError as error:
        raise LocationUnreadable(error.message, hint=error.hint) from error
    services.get(SecretMask).add(*list_traces(credential, value))
    return Access(settings, write_settings(target.url, credential, value))

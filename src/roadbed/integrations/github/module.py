"""What the integration adds: a type of locations, and the address for webhooks."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from roadbed.catalog.contract import LOCATION_SOURCES, LocationInvalid, LocationSource, LocationSummary
from roadbed.core.extension import Module
from roadbed.core.lifecycle import PROVIDERS, Provider
from roadbed.core.routes import PAGES
from roadbed.core.services import Services
from roadbed.core.settings import Settings
from roadbed.integrations.github.rules.addresses import NoOrganisation, link_file, read_organisation
from roadbed.integrations.github.rules.options import SCHEMA, find_fault, read_wanted
from roadbed.integrations.github.rules.people import TEAMS, USERS
from roadbed.integrations.github.service.credentials import Installations
from roadbed.integrations.github.service.deliveries import TYPE, Refusals
from roadbed.integrations.github.service.elsewhere import read_path
from roadbed.integrations.github.service.reading import GithubReader
from roadbed.integrations.github.web import PATH, router


@asynccontextmanager
async def _open(services: Services) -> AsyncIterator[None]:
    services.put(Installations, Installations())
    services.put(Refusals, Refusals())
    yield


def check_target(target: str, source: Mapping[str, Any]) -> str:
    """Return the address of an organisation as it is kept.

    Raises:
        LocationInvalid: it is none, or the options contradict each other.
    """
    fault = find_fault(read_wanted(source))
    if fault is not None:
        raise LocationInvalid(fault, hint="Correct the options of the location.")
    try:
        return read_organisation(target).url
    except NoOrganisation as error:
        raise LocationInvalid(
            f"This organisation cannot be read: {error}.", hint="Give its address, such as https://github.com/acme."
        ) from error


def link(location: LocationSummary, file: str, line: int) -> str | None:
    """Return where people see a line of a file; teams and users are no files."""
    if file.startswith((TEAMS, USERS)):
        return None
    organisation, elsewhere = read_organisation(location.target), read_path(file)
    if elsewhere is not None:
        other = replace(organisation, name=elsewhere.owner)
        return link_file(other, elsewhere.repository, elsewhere.branch, elsewhere.path, line)
    repository, _, path = file.partition("/")
    branch = read_wanted(location.options.source).branch
    return link_file(organisation, repository, branch, path, line)


def list_notes(services: Services, location: LocationSummary) -> list[tuple[str, str]]:
    """Return the address that a webhook is to call, when the location takes deliveries."""
    if read_wanted(location.options.source).webhook_secret is None:
        return [("Webhook", "none is taken: no secret is set")]
    return [("Webhook", f"{services.get(Settings).base_url}{PATH}/{location.id}")]


SOURCE = LocationSource(
    type=TYPE,
    label="GitHub organisation",
    description="Such as https://github.com/acme, or https://github.example.com/acme on a server of your own.",
    icon="brand-github",
    schema=SCHEMA,
    check=check_target,
    reader=GithubReader,
    link=link,
    notes=list_notes,
)

MODULE = Module("github", (PROVIDERS.add(Provider("github", _open)), LOCATION_SOURCES.add(SOURCE), PAGES.add(router)))

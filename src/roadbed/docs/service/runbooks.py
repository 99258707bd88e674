"""Where the runbook of an entity is, and its sections."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from roadbed.catalog.contract import EntitySummary, get_entity
from roadbed.core.db import ReadSession
from roadbed.docs.errors import RunbookNotFound
from roadbed.docs.rules.refs import find_runbook as read_annotation
from roadbed.docs.rules.runbooks import find_section, list_sections
from roadbed.docs.service.reading import find_documented, find_page
from roadbed.docs.types import LATEST, RUNBOOK, VersionSummary, docs_href
from roadbed.kit.refs import EntityRef

_SHOWN = 200


@dataclass(frozen=True)
class Runbook:
    """What `roadbed.dev/runbook` of an entity leads to.

    Args:
        value: the annotation.
        href: where it is; None when it leads nowhere.
        is_external: it is not among the documentation.
        headings: of its page.
        fragment: the id of the heading that the annotation names.
    """

    value: str
    href: str | None
    is_external: bool = False
    headings: Sequence[Mapping[str, Any]] = ()
    fragment: str = ""

    @property
    def sections(self) -> Sequence[tuple[str, str]]:
        """Address and title of its sections."""
        return [(f"{self.href}#{id_}", title) for id_, title in list_sections(self.headings)]

    def link_to(self, alert: str | None = None) -> str | None:
        """Return the address of the section for an alert; of what the annotation names where there is none."""
        fragment = find_section(self.headings, alert) if alert else None
        fragment = fragment or self.fragment
        return f"{self.href}#{quote(fragment)}" if self.href and fragment else self.href


async def find_runbook(session: ReadSession, entity: EntitySummary) -> Runbook | None:
    """Return the runbook of an entity; None when it names none."""
    value = entity.annotations.get(RUNBOOK)
    if value is None:
        return None
    page, url = read_annotation(value)
    if url is not None:
        return Runbook(value[:_SHOWN], url, is_external=True)
    found = await find_documented(session, entity.ref)
    version = found.version if found else None
    for path in _names_of(page, version):
        if version is not None and (shown := await find_page(session, version, path)) is not None:
            fragment = value.partition("#")[2]
            return Runbook(
                value[:_SHOWN],
                f"{docs_href(entity.ref)}/{LATEST}/{path}",
                headings=shown.headings,
                fragment=f"text-{fragment}" if fragment else "",
            )
    return Runbook(value[:_SHOWN], None)


async def get_runbook(session: ReadSession, ref: EntityRef) -> tuple[Runbook, str]:
    """Return the runbook of an entity and its address.

    Raises:
        EntityNotFound: there is no such entity.
        RunbookNotFound: it names none, or one that is not there.
    """
    entity = await get_entity(session, ref)
    runbook = await find_runbook(session, entity)
    if runbook is None:
        raise RunbookNotFound(
            f"{entity.ref} names no runbook.", hint=f"Set the annotation {RUNBOOK}, such as docs/runbook.md."
        )
    address = runbook.link_to()
    if address is None:
        raise RunbookNotFound(
            f"The runbook of {entity.ref} is not there: {runbook.value}",
            hint=f"Correct the annotation {RUNBOOK}, or wait until the documentation is built.",
        )
    return runbook, address


def _names_of(page: str | None, version: VersionSummary | None) -> list[str]:
    """Return the addresses that a runbook's annotation may mean: with `docs/` in front, or without."""
    if not page or version is None:
        return []
    bare = page[: page.rindex(".")] if page.lower().endswith((".md", ".markdown")) else page
    names = [bare, f"docs/{bare}", bare.removeprefix("docs/")]
    return list(dict.fromkeys([*names, *(f"{name}/index" for name in names)]))

"""Reading an organisation against a host that answers as GitHub's published description says; no catalog in between."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from roadbed.catalog.contract import (
    LocationMissing,
    LocationSummary,
    LocationUnreadable,
    Memory,
    ReadLater,
    Source,
    SourceContext,
)
from roadbed.catalog.types import LocationOptions
from roadbed.core.outbound import Outbound
from roadbed.core.services import Services
from roadbed.core.settings import OutboundSettings
from roadbed.integrations.github.service import client, concurrency, files, people
from roadbed.integrations.github.service.credentials import Installations
from roadbed.integrations.github.service.reading import GithubReader
from roadbed.kit.clock import now
from tests.integrations.github.host import Host, Repo, TeamOf, serve

pytestmark = pytest.mark.anyio


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host(
        repos={
            "orders": Repo({"catalog-info.yaml": "orders", "docs/api.yaml": "api"}),
            "billing": Repo({"catalog-info.yaml": "billing", "lib/catalog-info.yaml": "lib"}),
            "empty": Repo(pushed_at=None),
            "plain": Repo({"README.md": "read me"}),
        },
        teams={"core": TeamOf(members=("bob",)), "web": TeamOf("core", ("ada",))},
        members=("ada", "bob", "cyd"),
        page_size=2,
    )
    with serve(host):
        yield host


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    outbound = Outbound(OutboundSettings(allowed_hosts=["127.0.0.0/8"]))
    yield outbound
    await outbound.close()


class Location:
    """A location without a catalog: each reading is a new reader over the same memory, as on another day."""

    def __init__(self, host: Host, outbound: Outbound, **options: Any) -> None:
        self.host = host
        self.outbound = outbound
        self.options = options
        self.memory = Memory({})
        self.digests: dict[str, str] = {}
        self.contents: dict[str, bytes] = {}
        self.reader: GithubReader | None = None

    async def make_reader(self) -> GithubReader:
        services = Services()
        services.put(Outbound, self.outbound)
        services.put(Installations, Installations())
        summary = LocationSummary(
            id=uuid4(), type="github", target=f"{self.host.url}/{self.options.pop('organisation', 'acme')}",
            entity_ref="", created_at=now(), created_by="", checked_at=None, read_at=None, revision=None, error=None,
            run_id=None, options=LocationOptions(source=self.options), missing_count=0, report={},
        )  # fmt: skip
        self.reader = GithubReader(SourceContext(services, summary, self.memory, self.digests, frozenset()))
        return self.reader

    async def look(self) -> str:
        return (await (await self.make_reader()).look()).fingerprint

    async def read(self) -> Source:
        """Read all entries, as the catalog does in a thread, and know their digests from then on."""
        source = (await (await self.make_reader()).open())()

        def collect() -> None:
            for path in source.list_entries():
                digest = str(source.digest(path))
                if self.digests.get(path) != digest:
                    self.contents[path] = source.read(path)
                self.digests[path] = digest

        await asyncio.to_thread(collect)
        return source


async def test_all_pages_are_read_and_people_with_them(host: Host, outbound: Outbound) -> None:
    location = Location(host, outbound, path="**/catalog-info.yaml")
    source = await location.read()
    assert source.list_entries() == [
        "@teams/core.yaml", "@teams/web.yaml", "@users/ada.yaml", "@users/bob.yaml", "@users/cyd.yaml",
        "billing/catalog-info.yaml", "billing/lib/catalog-info.yaml", "orders/catalog-info.yaml",
    ]  # fmt: skip
    assert location.contents["billing/lib/catalog-info.yaml"] == b"lib"
    assert source.describe("orders/catalog-info.yaml") == f"url:{host.url}/acme/orders/blob/main/catalog-info.yaml"
    assert source.annotate("billing/lib/catalog-info.yaml") == {
        "backstage.io/view-url": f"{host.url}/acme/billing/blob/main/lib/catalog-info.yaml",
        "backstage.io/edit-url": f"{host.url}/acme/billing/edit/main/lib/catalog-info.yaml",
        "backstage.io/source-location": f"url:{host.url}/acme/billing/tree/main/lib/",
        "github.com/project-slug": "acme/billing",
    }


async def test_nothing_changed_costs_nothing_of_the_budget(host: Host, outbound: Outbound) -> None:
    location = Location(host, outbound)
    await location.read()
    host.take_asked()
    left, before = host.remaining, await location.look()
    assert host.take_asked() == [("/orgs/acme/repos", 304)] * 2
    source = await location.read()
    assert host.take_asked() == [("/orgs/acme/repos", 304)] * 2
    assert host.remaining == left
    assert source.fingerprint(()) == before


async def test_push_costs_one_tree_and_one_file(host: Host, outbound: Outbound) -> None:
    location = Location(host, outbound, people=False)
    await location.read()
    before = await location.look()
    host.take_asked()
    host.repos["orders"].files["catalog-info.yaml"] = "changed"
    host.repos["orders"].pushed_at = "2026-02-02T00:00:00Z"
    assert await location.look() != before
    await location.read()
    assert location.contents["orders/catalog-info.yaml"] == b"changed"
    asked = [path for path, status in host.take_asked() if status == 200 and path != "/orgs/acme/repos"]
    assert [path.rsplit("/", 2)[-2] for path in asked] == ["trees", "blobs"]


async def test_push_of_this_minute_is_looked_at_once_more(host: Host, outbound: Outbound) -> None:
    location = Location(host, outbound, people=False)
    host.repos["orders"].pushed_at = now().isoformat()
    await location.read()
    host.repos["orders"].files["catalog-info.yaml"] = "in the same second"
    await location.read()
    assert location.contents["orders/catalog-info.yaml"] == b"in the same second"


async def test_mark_of_a_webhook_has_the_tree_looked_at(host: Host, outbound: Outbound) -> None:
    location = Location(host, outbound, people=False)
    await location.read()
    host.repos["orders"].files["catalog-info.yaml"] = "told"
    await location.read()
    assert location.contents["orders/catalog-info.yaml"] == b"orders"
    location.memory.put(files.STALE + "orders", {})
    await location.read()
    assert location.contents["orders/catalog-info.yaml"] == b"told"
    assert location.memory.list_keys("stale:") == []


async def test_people_are_asked_for_again_when_told(host: Host, outbound: Outbound) -> None:
    location = Location(host, outbound)
    before = await location.look()
    host.members = ("ada", "dan")
    assert await location.look() == before
    location.memory.put(people.STALE, {})
    assert await location.look() != before
    assert "@users/dan.yaml" in (await location.read()).list_entries()
    assert location.memory.find("profile:cyd") is None


async def test_file_that_another_names_is_found_and_followed(host: Host, outbound: Outbound) -> None:
    location = Location(host, outbound, people=False)

    def ask(source: Source) -> list[Any]:
        return [source.digest("orders/docs/api.yaml"), source.expand("orders/docs/*.yaml"), source.digest("x/y")]

    first = await asyncio.to_thread(ask, await location.read())
    assert first[1:] == [["orders/docs/api.yaml"], None]
    host.take_asked()
    source = await location.read()
    assert await asyncio.to_thread(source.digest, "orders/docs/api.yaml") == first[0]
    assert all(status == 304 for _, status in host.take_asked())


async def test_repository_that_cannot_be_read_keeps_what_was_known(
    host: Host, outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    location = Location(host, outbound, people=False)
    await location.read()
    host.repos["orders"] = replace(host.repos["orders"], failing_status=502, pushed_at="2026-02-02T00:00:00Z")
    source = await location.read()
    assert "orders/catalog-info.yaml" in source.list_entries()
    assert location.reader is not None
    assert ["Not readable", "orders"] in location.reader.report()["facts"]
    assert source.fingerprint(()) == await location.look()
    monkeypatch.setattr(files, "_RETRY_SECONDS", 3601)  # as an hour later
    assert source.fingerprint(()) != await location.look()


async def test_tree_that_is_cut_off_still_has_the_named_file(host: Host, outbound: Outbound) -> None:
    host.repos["orders"].is_truncated = True
    location = Location(host, outbound, people=False)
    await location.read()
    assert location.contents["orders/catalog-info.yaml"] == b"orders"
    assert location.reader is not None
    assert ["Too large", "orders"] in location.reader.report()["facts"]


async def test_reading_waits_when_little_is_left_and_goes_on_where_it_was(
    host: Host, outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(concurrency, "AT_ONCE", 1)  # so that it is known how far it comes
    location = Location(host, outbound, people=False, path="**/catalog-info.yaml")
    host.limit, host.remaining, host.resets_at = 100, 5 + 2 + 4 + 1, int(now().timestamp()) + 1000
    with pytest.raises(ReadLater, match="GitHub takes 5 more of 100 requests until it counts anew") as later:
        await location.read()
    assert 900 < (later.value.until - now()).total_seconds() < 1010
    assert location.reader is not None
    assert location.reader.report()["budget"]["remaining"] == 5
    host.take_asked()
    host.remaining, host.resets_at = 100, host.resets_at + 3600
    source = await location.read()
    assert len(source.list_entries()) == 3
    statuses = [(path.split("/")[-2], status) for path, status in host.take_asked() if status == 200]
    assert [kind for kind, _ in statuses if kind == "trees"] == []
    assert len([kind for kind, _ in statuses if kind == "blobs"]) == 2
    assert location.memory.list_keys("blob:") == []


async def test_long_reading_is_cut_into_pieces(host: Host, outbound: Outbound, monkeypatch: pytest.MonkeyPatch) -> None:
    location = Location(host, outbound)
    monkeypatch.setattr(client, "SLICE_SECONDS", -1)
    with pytest.raises(ReadLater, match="what was read so far is kept"):
        await location.read()


def test_an_answer_that_was_overtaken_gives_nothing_back() -> None:
    budget = client.Budget()
    for remaining, reset, left in [(41, 900, 41), (39, 900, 39), (40, 900, 39), (100, 4500, 100)]:
        budget.note(
            {"x-ratelimit-limit": "100", "x-ratelimit-remaining": str(remaining), "x-ratelimit-reset": str(reset)}
        )
        assert budget.current is not None
        assert budget.current.remaining == left


async def test_budget_that_is_used_up_is_waited_for(host: Host, outbound: Outbound) -> None:
    host.remaining, host.resets_at = 0, int(now().timestamp()) + 100
    with pytest.raises(ReadLater, match="fewer requests") as later:
        await Location(host, outbound).look()
    assert 90 < (later.value.until - now()).total_seconds() < 110


@pytest.mark.parametrize(
    ("change", "options", "error", "words"),
    [
        ({"token": "known"}, {}, LocationUnreadable, "GitHub refuses the credential: Bad credentials."),
        ({}, {"organisation": "other"}, LocationMissing, "There is no organisation"),
    ],
)
async def test_what_cannot_be_read_says_why(
    host: Host, outbound: Outbound, change: dict[str, Any], options: dict[str, Any], error: type[Exception], words: str
) -> None:
    for name, value in change.items():
        setattr(host, name, value)
    with pytest.raises(error, match=words):
        await Location(host, outbound, **options).look()

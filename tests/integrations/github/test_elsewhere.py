"""Location entities of an organisation that name files of other repositories on its host."""

import asyncio
from collections.abc import AsyncIterator, Iterator

import pytest

from roadbed.catalog.contract import ELSEWHERE
from roadbed.catalog.rules.targets import TargetError, resolve
from roadbed.core.outbound import Outbound
from roadbed.core.settings import OutboundSettings
from roadbed.integrations.github.rules.addresses import FileAddress, read_file_address
from roadbed.integrations.github.service import elsewhere
from roadbed.integrations.github.service.elsewhere import read_path, write_path
from roadbed.integrations.github.service.reading import GithubSource
from roadbed.integrations.github.types import Organisation
from tests.integrations.github.host import Host, Repo, serve
from tests.integrations.github.test_reading import Location

ACME = Organisation("https://github.example.com", "https://github.example.com/api/v3", "acme")
FOREIGN = f"{ELSEWHERE}other/tools/main"


@pytest.mark.parametrize(
    ("url", "found"),
    [
        ("https://github.example.com/other/tools/blob/main/a/b.yaml", ("other", "tools", "main", "a/b.yaml")),
        ("https://GITHUB.example.com/other/tools/raw/v1.0/b.yaml?x#y", ("other", "tools", "v1.0", "b.yaml")),
        ("https://github.example.com/other/tools/blob/team%2Fx/b.yaml", ("other", "tools", "team/x", "b.yaml")),
        ("https://github.example.com/other/tools", None),
        ("https://github.example.com.evil.test/other/tools/blob/main/b.yaml", None),
        ("https://me@github.example.com/other/tools/blob/main/b.yaml", None),
        ("http://github.example.com/other/tools/blob/main/b.yaml", None),
        ("https://github.com/other/tools/blob/main/b.yaml", None),
        ("https://github.example.com/other/tools/blob/main/../../x", None),
        ("https://github.example.com/other/tools/blob/main/%2e%2e/x", None),
        ("https://github.example.com/other/tools/blob/main/a%0ab", None),
        ("./b.yaml", None),
        ("javascript:alert(1)", None),
    ],
)
def test_address_is_a_file_of_the_same_host(url: str, found: tuple[str, str, str, str] | None) -> None:
    address = read_file_address(ACME, url)
    assert address == (FileAddress(*found) if found else None)
    if address is not None:
        assert read_path(write_path(address)) == address


@pytest.mark.parametrize(
    ("base", "target", "path"),
    [
        (f"{FOREIGN}/a/catalog-info.yaml", "./api.yaml", f"{FOREIGN}/a/api.yaml"),
        (f"{FOREIGN}/a/catalog-info.yaml", "../api.yaml", f"{FOREIGN}/api.yaml"),
        (f"{FOREIGN}/a/catalog-info.yaml", "/docs/api.yaml", f"{FOREIGN}/docs/api.yaml"),
        (f"{FOREIGN}/catalog-info.yaml", "../private/x.yaml", None),
        (f"{FOREIGN}/catalog-info.yaml", "../../../../orders/x.yaml", None),
        ("orders/catalog-info.yaml", f"../{FOREIGN}/secrets.txt", None),
        ("orders/catalog-info.yaml", f"/{FOREIGN}/secrets.txt", None),
    ],
)
def test_relative_paths_stay_in_their_repository(base: str, target: str, path: str | None) -> None:
    if path is not None:
        assert resolve(base, target) == path
        return
    with pytest.raises(TargetError, match="another repository"):
        resolve(base, target)


@pytest.fixture
def host() -> Iterator[Host]:
    host = Host(
        repos={
            "orders": Repo({"catalog-info.yaml": "orders"}),
            "tools": Repo({"catalog-info.yaml": "tools", "more.yaml": "more"}),
        },
        token="ghp_x",
    )
    with serve(host):
        yield host


@pytest.fixture
async def outbound() -> AsyncIterator[Outbound]:
    outbound = Outbound(OutboundSettings(allowed_hosts=["127.0.0.0/8"]))
    yield outbound
    await outbound.close()


async def name(source: GithubSource, url: str) -> list[str]:
    """Follow a target, as the catalog does in a thread."""
    located = source.locate(url)
    return [] if located is None else await asyncio.to_thread(source.expand, located)


async def open_location(host: Host, outbound: Outbound) -> tuple[Location, GithubSource]:
    host.token = None
    location = Location(host, outbound, exclude_repositories=["tools"], people=False)
    source = await location.read()
    assert isinstance(source, GithubSource)
    return location, source


@pytest.mark.anyio
async def test_file_of_another_repository_is_read_and_watched(host: Host, outbound: Outbound) -> None:
    location, source = await open_location(host, outbound)
    before = await location.look()
    assert await name(source, f"{host.url}/acme/orders/blob/main/catalog-info.yaml") == ["orders/catalog-info.yaml"]
    (path,) = await name(source, f"{host.url}/acme/tools/blob/main/catalog-info.yaml")
    assert path == f"{ELSEWHERE}acme/tools/main/catalog-info.yaml"
    assert await asyncio.to_thread(source.read, path) == b"tools"
    assert source.describe(path) == f"url:{host.url}/acme/tools/blob/main/catalog-info.yaml"
    assert source.annotate(path)["github.com/project-slug"] == "acme/tools"
    assert await name(source, f"{host.url}/acme/tools/blob/main/none.yaml") == []
    assert await name(source, "https://github.com/acme/tools/blob/main/catalog-info.yaml") == []
    seen = await location.look()
    assert seen != before
    host.take_asked()
    assert await location.look() == seen
    assert {status for path, status in host.take_asked() if not path.endswith("none.yaml")} == {304}
    host.repos["tools"].files["catalog-info.yaml"] = "newer"
    assert await location.look() not in (seen, before)


@pytest.mark.anyio
async def test_no_more_than_so_many_are_asked_for(
    host: Host, outbound: Outbound, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(elsewhere, "MOST", 1)
    location, source = await open_location(host, outbound)
    assert await name(source, f"{host.url}/acme/tools/blob/main/catalog-info.yaml")
    assert not await name(source, f"{host.url}/acme/tools/blob/main/more.yaml")
    assert location.reader is not None
    facts = dict(map(tuple, location.reader.report()["facts"]))
    assert "more.yaml" in facts["Not readable elsewhere"]

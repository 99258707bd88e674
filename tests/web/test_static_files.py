"""How static files are sent and kept."""

import gzip
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from roadbed.web.static_files import Assets

pytestmark = pytest.mark.anyio
STYLE = "a { color: red; }\n" * 200


@pytest.fixture
async def client(tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    (tmp_path / "css").mkdir()
    (tmp_path / "css" / "page.css").write_text(STYLE)
    (tmp_path / "small.svg").write_text("<svg/>")
    (tmp_path.parent / "secret.css").write_text("no")
    transport = httpx.ASGITransport(app=Assets(tmp_path))
    async with httpx.AsyncClient(transport=transport, base_url="http://assets") as client:
        yield client


async def test_versioned_file_is_kept_for_ever_and_compressed(client: httpx.AsyncClient) -> None:
    answer = await client.get("/css/page.css?v=1")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert int(answer.headers["content-length"]) == len(gzip.compress(STYLE.encode(), 9, mtime=0))
    assert answer.text == STYLE


async def test_file_without_version_is_asked_for_again_and_found_unchanged(client: httpx.AsyncClient) -> None:
    first = await client.get("/css/page.css")
    assert first.headers["cache-control"] == "no-cache"
    again = await client.get("/css/page.css", headers={"If-None-Match": first.headers["etag"]})
    assert again.status_code == 304


async def test_browser_without_gzip_gets_the_plain_file(client: httpx.AsyncClient) -> None:
    answer = await client.get("/css/page.css?v=1", headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in answer.headers
    assert answer.text == STYLE


async def test_small_file_is_sent_as_it_is(client: httpx.AsyncClient) -> None:
    answer = await client.get("/small.svg?v=1")
    assert "content-encoding" not in answer.headers
    assert answer.headers["content-type"] == "image/svg+xml"


@pytest.mark.parametrize("path", ["/missing.css", "/../secret.css", "/%2e%2e/secret.css", "/css"])
async def test_nothing_outside_the_folder_is_found(client: httpx.AsyncClient, path: str) -> None:
    with pytest.raises(Exception, match="404"):
        await client.get(path)

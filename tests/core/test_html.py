"""The renderer, and what it says when the pages' assets are not there."""

from pathlib import Path

import pytest
from fastapi import Request

from roadbed.core.extension import Registry, load
from roadbed.core.html import AssetsMissing, Renderer
from roadbed.core.services import Services
from roadbed.web.errors import error_page
from roadbed.web.module import MODULE


@pytest.fixture
def renderer(tmp_path: Path) -> Renderer:
    services = Services()
    services.put(Registry, load([MODULE]))
    return Renderer(services, organisation="Northmoor", static=tmp_path)


def test_address_of_an_asset_changes_with_its_content(renderer: Renderer, tmp_path: Path) -> None:
    (tmp_path / "a.css").write_text("a")
    (tmp_path / "b.css").write_text("b")
    first, second = renderer.asset("a.css"), renderer.asset("b.css")
    assert first.startswith("/static/a.css?v=")
    assert first.partition("=")[2] != second.partition("=")[2]


@pytest.mark.anyio
async def test_missing_assets_are_said_with_the_next_step_where_no_page_can_be(renderer: Renderer) -> None:
    with pytest.raises(AssetsMissing, match=r"assets are not built: vendor/tabler\.min\.css is missing") as caught:
        renderer.asset("vendor/tabler.min.css")
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    answer = await error_page(request, 503, caught.value)
    assert answer.status_code == 503
    assert bytes(answer.body).decode().endswith("Run `make run`, or `npm ci && python tools/assets.py`.\n")

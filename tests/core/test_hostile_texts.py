"""Texts that the database cannot hold."""

import httpx
import pytest

from tests.support import RunningServer


@pytest.mark.parametrize("path", ["/api/v1/entities/component/default/a%00b", "/catalog/component/default/a%00b"])
def test_text_with_nul_is_refused_and_no_fault(server: RunningServer, path: str) -> None:
    answer: httpx.Response = server.client(server.token()).get(path)
    assert (answer.status_code, answer.json()["code"]) == (422, "request.text_invalid")

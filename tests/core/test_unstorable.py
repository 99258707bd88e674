"""Values that the database cannot hold are refused with words, wherever they come in."""

from typing import Any

import pytest

from tests.support import RunningServer

BIG = 2**63


@pytest.mark.parametrize(
    ("method", "path", "body", "code", "words"),
    [
        ("POST", "/api/v1/tokens", {"name": "a\0b"}, "request.text_invalid", "NUL"),
        ("GET", "/api/v1/docs/search?q=a%00b", None, "request.text_invalid", "NUL"),
        ("GET", f"/api/v1/entities/group/default/roadbed/history/{BIG}", None, "request.invalid", "less than or equal"),
        (
            "POST",
            "/api/v1/resources",
            {"application": "component:default/none", "environment": "development", "type": "/X", "id": "db"},
            "provisioning.unknown_type",
            "no resource type '/X'",
        ),
    ],
)
def test_value_that_cannot_be_kept_is_no_error_of_ours(
    server: RunningServer, method: str, path: str, body: Any, code: str, words: str
) -> None:
    answer = server.client(server.token()).request(method, path, json=body)
    assert (answer.status_code, answer.json()["code"]) == (422, code)
    assert words in answer.json()["detail"]

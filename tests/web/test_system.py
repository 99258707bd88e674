"""The page that tells how Roadbed itself is doing."""

from tests.support import RunningServer


def test_system_tells_checks_and_modules(server: RunningServer) -> None:
    body = server.client_as("platform-engineer").get("/api/v1/system").json()
    assert set(body["checks"].values()) == {"ok"}
    assert "catalog" in body["modules"]
    assert body["database"] in ("embedded PostgreSQL", "outside PostgreSQL")


def test_developer_may_not_see_the_system(server: RunningServer) -> None:
    answer = server.client_as("developer").get("/platform/system")
    assert answer.status_code == 403

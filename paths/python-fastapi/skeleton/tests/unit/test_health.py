"""Health as an orchestrator sees it."""

from fastapi.testclient import TestClient


def test_process_is_alive(client: TestClient) -> None:
    assert client.get("/livez").status_code == 200

{% if values.postgres %}
def test_service_is_not_ready_without_its_database(client: TestClient) -> None:
    response = client.get("/readyz")

    assert response.status_code == 503
    assert "database" in response.json()["detail"]
{%- else %}
def test_service_is_ready(client: TestClient) -> None:
    assert client.get("/readyz").json() == {"status": "ready"}
{%- endif %}

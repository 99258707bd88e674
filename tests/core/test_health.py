"""Probes and metrics over HTTP."""

from tests.support import RunningServer


def test_ready_server_names_each_check(server: RunningServer) -> None:
    answer = server.client().get("/readyz")
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "ok",
        "checks": {"database": "ok", "migrations": "ok", "workflows": "ok"},
    }


def test_metrics_count_requests_by_route_template(server: RunningServer) -> None:
    client = server.client()
    client.get("/livez")
    text = client.get("/metrics").text
    assert 'roadbed_http_request_duration_seconds_count{method="GET",route="/livez",status="200"}' in text
    assert "roadbed_outbox_lag_seconds" in text


def test_every_answer_forbids_inline_script_and_carries_no_store(server: RunningServer) -> None:
    headers = server.client().get("/livez").headers
    assert "script-src 'self'" in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cache-control"] == "no-store"

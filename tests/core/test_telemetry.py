"""Logs, metrics and traces: what they show, and what they hide."""

import json
import logging
import subprocess
import sys
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from roadbed.core.tracing import configure_tracing
from roadbed.runs.contract import StepPlan
from tests.runs.test_runs import finish, start
from tests.support import RunningServer

SECRET = "hunter2-and-more"
PROGRAM = f"""
import structlog, logging, sys
from pathlib import Path
from roadbed.core.settings import TelemetrySettings
from roadbed.core.telemetry import configure_logging
from roadbed.secrets.contract import SecretMask
mask = SecretMask()
mask.add({SECRET!r})
configure_logging(TelemetrySettings(log_format=sys.argv[1]), redact=mask.mask_data)
log = structlog.get_logger("test")
nested = {{"key": {{"deep": {SECRET!r}}}}}
log.info("said", text={SECRET!r}, many=["a", {SECRET!r}], nested=nested, path=Path("/x/{SECRET}"), number=3)
logging.getLogger("library").warning("it said %s", {SECRET!r})
try:
    raise RuntimeError("the password is {SECRET}")
except RuntimeError:
    log.exception("failed")
"""


@pytest.mark.parametrize("log_format", ["json", "console"])
def test_log_hides_secrets_wherever_they_stand(log_format: str) -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM, log_format], capture_output=True, text=True, check=True)
    assert SECRET not in done.stderr
    assert "RuntimeError: the password is ***" in done.stderr
    assert "it said ***" in done.stderr
    if log_format == "json":
        said = json.loads(done.stderr.splitlines()[0])
        assert said["many"] == ["a", "***"]
        assert said["nested"] == {"key": {"deep": "***"}}
        assert said["path"] == "/x/***"
        assert said["number"] == 3
        assert (said["event"], said["level"], said["logger"]) == ("said", "info", "test")


def test_metrics_name_the_whole_route(server: RunningServer) -> None:
    client = server.client_as("viewer")
    client.get("/api/v1/runs")
    client.get("/api/v1/openapi.json")
    text = client.get("/metrics").text
    for route in ("/api/v1/runs", "/api/v1/openapi.json"):
        assert f'_count{{method="GET",route="{route}",status="200"}}' in text
    client.get("/runs", headers={"accept": "text/html"})
    assert 'route="/runs",' in client.get("/metrics").text


class _Collector(HTTPServer):
    """Keeps the spans that are sent to it."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        super().__init__(("127.0.0.1", 0), _Receiver)


class _Receiver(BaseHTTPRequestHandler):
    server: _Collector

    def do_POST(self) -> None:
        sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
        self.server.spans += [
            span for resource in sent.resource_spans for scope in resource.scope_spans for span in scope.spans
        ]
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
        logging.getLogger(__name__).debug(format, *args)


@pytest.fixture
def collector() -> Iterator[_Collector]:
    with _Collector() as collector:
        thread = Thread(target=collector.serve_forever)
        thread.start()
        yield collector
        collector.shutdown()
        thread.join()


def test_traces_have_the_ids_that_logs_and_runs_show(server: RunningServer, collector: _Collector) -> None:
    provider = configure_tracing(f"http://127.0.0.1:{collector.server_port}")
    trace_id, parent = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
    answer = server.client().get("/api/v1/runs", headers={"traceparent": f"00-{trace_id}-{parent}-01"})
    run, _ = finish(server, start(server, StepPlan("say", "Say", "test.echo")).id)
    provider.shutdown()
    (request,) = [span for span in collector.spans if span.trace_id.hex() == trace_id]
    assert request.kind == Span.SPAN_KIND_SERVER
    assert answer.json()["trace_id"] == trace_id
    assert request.parent_span_id.hex() == parent
    assert request.name == "GET /api/v1/runs"
    step = next(span for span in collector.spans if span.name == "test.echo")
    assert step.trace_id.hex() == run.id.hex

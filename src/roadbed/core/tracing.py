"""Traces that leave: imported only where an OTLP endpoint is set, for it costs a process 6 MB and part of its start."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

import roadbed


def configure_tracing(endpoint: str) -> TracerProvider:
    """Send spans to an OTLP endpoint. The caller shuts the provider down."""
    provider = TracerProvider(
        resource=Resource.create({"service.name": "roadbed", "service.version": roadbed.__version__})
    )
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint=endpoint.rstrip("/") + "/v1/traces")))
    trace.set_tracer_provider(provider)
    return provider

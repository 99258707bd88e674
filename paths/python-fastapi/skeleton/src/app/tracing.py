"""Tracing: each request has a trace id; spans leave the process only if an OTLP endpoint is set."""

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, SERVICE_VERSION, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from app import SERVICE, VERSION

FLUSH_MILLISECONDS = 3000

tracer = trace.get_tracer("app")


def configure_tracing(endpoint: str | None) -> None:
    """Set the process's tracer provider. Call it once, before the first request."""
    resource = Resource.create({SERVICE_NAME: SERVICE, SERVICE_VERSION: VERSION})
    provider = TracerProvider(resource=resource)
    if endpoint:
        exporter = OTLPSpanExporter(endpoint=f"{endpoint.rstrip('/')}/v1/traces")
        provider.add_span_processor(BatchSpanProcessor(exporter))
    trace.set_tracer_provider(provider)


def current_trace_id() -> str | None:
    context = trace.get_current_span().get_span_context()
    return trace.format_trace_id(context.trace_id) if context.is_valid else None


def flush_traces() -> None:
    """Send what is still buffered. Blocks for a few seconds at most, also when nobody answers."""
    provider = trace.get_tracer_provider()
    if isinstance(provider, TracerProvider):
        provider.force_flush(FLUSH_MILLISECONDS)

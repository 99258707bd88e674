"""Start the service: `python -m app`."""

import sys

import uvicorn
from pydantic import ValidationError

from app.logs import configure_logging
from app.main import create_app
from app.settings import Settings
from app.tracing import configure_tracing


def main() -> None:
    try:
        settings = Settings()
    except ValidationError as error:
        sys.exit(_explain(error))
    configure_logging(settings.log_level)
    configure_tracing(settings.otel_exporter_otlp_endpoint)
    uvicorn.run(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        log_config=None,  # configure_logging has done it
        access_log=False,  # ObserveRequests writes one line per request, with its trace id
        server_header=False,
        timeout_graceful_shutdown=settings.shutdown_seconds,
    )


def _explain(error: ValidationError) -> str:
    """Name each wrong variable and the reason, without echoing its value."""
    problems = [f"  {str(e['loc'][0]).upper()}: {e['msg']}" for e in error.errors()]
    return "\n".join(["Cannot start, these environment variables are wrong or missing:", *problems])


if __name__ == "__main__":
    main()

"""Settings, read once at start from environment variables of the same names in upper case.

An empty variable counts as not set. The README lists them all.
"""

from typing import Annotated, Literal

from pydantic import BeforeValidator, Field{% if values.postgres %}, SecretStr{% endif %}
from pydantic_settings import BaseSettings, SettingsConfigDict

LogLevel = Annotated[
    Literal["debug", "info", "warning", "error"],
    BeforeValidator(lambda value: value.lower() if isinstance(value, str) else value),
]


class Settings(BaseSettings):
    model_config = SettingsConfigDict(env_ignore_empty=True, frozen=True)

    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    log_level: LogLevel = "info"
    shutdown_seconds: int = Field(default=10, ge=1)
    otel_exporter_otlp_endpoint: str | None = None
{%- if values.postgres %}
    database_url: SecretStr
    database_pool_size: int = Field(default=5, ge=1)
    database_wait_seconds: float = Field(default=30, ge=0)
{%- endif %}

"""Settings come from the environment."""
{%- if values.postgres %}

from secrets import token_hex
{%- endif %}

import pytest
from pydantic import ValidationError

from app.__main__ import main
from app.settings import Settings
{%- if values.postgres %}

PASSWORD = token_hex()


@pytest.fixture(autouse=True)
def _database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", f"postgresql://app:{PASSWORD}@localhost/app")
{%- endif %}


def test_empty_variable_counts_as_not_set(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "")

    settings = Settings()

    assert settings.port == 8080
    assert settings.otel_exporter_otlp_endpoint is None


@pytest.mark.parametrize(("name", "value"), [("PORT", "65536"), ("LOG_LEVEL", "loud")])
def test_wrong_value_is_refused(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)

    with pytest.raises(ValidationError, match=name.lower()):
        Settings()


def test_start_names_the_wrong_variable_but_not_its_value(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "s3cret")

    with pytest.raises(SystemExit, match="PORT: Input should be a valid integer") as exit_info:
        main()

    assert "s3cret" not in str(exit_info.value)
{%- if values.postgres %}


def test_password_stays_out_of_what_is_printed() -> None:
    assert PASSWORD not in repr(Settings())
{%- endif %}

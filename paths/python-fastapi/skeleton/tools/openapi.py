"""Writes openapi.yaml anew from the code: `PYTHONPATH=src .venv/bin/python tools/openapi.py`."""

from pathlib import Path

import yaml
{%- if values.postgres %}
from pydantic import SecretStr
{%- endif %}

from app.main import create_app
from app.settings import Settings

{%- if values.postgres %}

settings = Settings(database_url=SecretStr("postgresql://unused"))
{%- else %}

settings = Settings()
{%- endif %}
definition = create_app(settings).openapi()
text = yaml.safe_dump(definition, sort_keys=False, allow_unicode=True, width=100)
Path("openapi.yaml").write_text(text, encoding="utf-8")

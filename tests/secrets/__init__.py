"""Tests of the secrets domain."""  # noqa: A005 - mirrors roadbed.secrets; nothing imports it from the top level

"""Texts that some reader of YAML would take for a number, a date or yes and no are written in quotes."""

import pytest

from roadbed.catalog.rules.documents import read_documents
from roadbed.kit.yamls import write_yaml


@pytest.mark.parametrize(
    "text",
    ["0o14", "089", "1e3", "1.5e3", "+.5", "1_0e3", "0x1F", "012", "y", "N", "yes", "1:30", "2026-11-28", "~", ".inf"],
)
def test_text_that_some_reader_takes_for_something_else_is_quoted(text: str) -> None:
    assert write_yaml({"a": text}) == f"a: '{text}'\n"


@pytest.mark.parametrize("text", ["1.2.3", "v1", "n/a", "-", "0b", "no-one", "10 MB", "_1"])
def test_text_that_every_reader_takes_for_one_is_the_same_when_read(text: str) -> None:
    assert read_documents(write_yaml({"a": text})).documents[0].data == {"a": text}

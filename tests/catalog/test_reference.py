"""The reference of the catalog model says what the definitions say."""

import re
from pathlib import Path

import pytest

from roadbed.catalog.rules.documents import LIMITS
from roadbed.catalog.rules.kinds import BUILT_IN_KINDS, KindDefinition
from roadbed.catalog.rules.problems import ProblemCode
from roadbed.catalog.types import LocationType

TEXT = (Path(__file__).parents[2] / "docs" / "reference" / "catalog-model.md").read_text()


@pytest.mark.parametrize("definition", list(BUILT_IN_KINDS), ids=lambda definition: definition.name)
def test_each_kind_is_described_with_its_fields_and_relations(definition: KindDefinition) -> None:
    match = re.search(rf"^### {definition.name}$(.*?)(?=^### |\Z)", TEXT, re.MULTILINE | re.DOTALL)
    assert match is not None
    section = match[1]
    assert definition.description in section
    assert all(f"`{version}`" in section for version in definition.api_versions)
    documented = set(re.findall(r"^\| `([^`]+)` \|", section, re.MULTILINE))
    assert documented == definition.field_names
    for relation in definition.relations:
        assert f"`{relation.type}` / `{relation.inverse}`" in section


def test_codes_types_and_limits_are_described() -> None:
    assert all(f"| `{word}` |" in TEXT for word in (*ProblemCode, *LocationType))
    assert f"{LIMITS.size_bytes // 2**20} MiB a file, {LIMITS.documents:,} documents" in TEXT
    assert f"{LIMITS.nodes_of_document:,} nodes" in TEXT
    assert f"{LIMITS.depth} levels" in TEXT

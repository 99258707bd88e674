"""Kinds as the API gives them."""

from pydantic import BaseModel, ConfigDict, Field

from roadbed.catalog.rules.kinds import KindDefinition


class KindRelationOut(BaseModel):
    """A relation that follows from a field of the spec."""

    model_config = ConfigDict(from_attributes=True)

    field: str
    type: str
    inverse: str
    kinds: list[str]
    default_kind: str | None
    is_many: bool | None


class KindOut(BaseModel):
    """A kind in force; `declared_by` is the ref of the entity that declares it."""

    name: str
    title: str
    plural: str
    icon: str
    description: str
    api_versions: list[str]
    is_owned: bool
    relations: list[KindRelationOut]
    computed: dict[str, str] = Field(description="Name and type of each computed property.")
    declared_by: str | None
    schema_url: str

    @classmethod
    def of(cls, definition: KindDefinition) -> "KindOut":
        return cls(
            name=definition.name,
            title=definition.word,
            plural=definition.plural,
            icon=definition.icon,
            description=definition.description,
            api_versions=list(definition.api_versions),
            is_owned=definition.is_owned,
            relations=[KindRelationOut.model_validate(relation) for relation in definition.relations],
            computed={one.name: one.type.value for one in definition.computed},
            declared_by=definition.declared_by,
            schema_url=f"/api/v1/kinds/{definition.name}/schema",
        )


class KindsOut(BaseModel):
    items: list[KindOut]

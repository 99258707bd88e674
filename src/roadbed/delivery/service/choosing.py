"""Which pipeline a repository has: its catalog file on the default branch says it, else it is the standard one."""

from dataclasses import dataclass
from typing import Any

from roadbed.catalog.contract import EntitySummary, find_entity, read_documents
from roadbed.core.db import ReadSession
from roadbed.delivery.errors import PipelineInvalid
from roadbed.delivery.rules.pipelines import extend, read_pipeline
from roadbed.delivery.types import STANDARD, Pipeline
from roadbed.kit.refs import InvalidRef, parse_ref, ref_of
from roadbed.scm.contract import PathNotFound, Repository, find_commit, list_tree, read_file

ANNOTATION = "roadbed.dev/pipeline"
CATALOG_FILES = ("catalog-info.yaml", "catalog-info.yml")
MAKEFILES = ("Makefile", "makefile", "GNUmakefile")
_CATALOG_BYTES = 1_000_000
_MAX_BASES = 5


@dataclass(frozen=True)
class Project:
    """What a commit's own files say: whether it can be built, and which component it is."""

    has_makefile: bool
    has_catalog_file: bool
    subject: str | None
    name: str
    pipeline: str


async def read_project(session: ReadSession, repository: Repository, commit: str) -> Project:
    """Look at the files of a commit.

    The pipeline is chosen by the default branch, so that a change of it takes effect when it is merged.
    """
    services = session.services
    names = {entry.name for entry in await list_tree(services, repository, commit)}
    document = await _read_component(session, repository, commit, names)
    default = await find_commit(services, repository, repository.default_branch)
    chosen = document
    if default is not None and default != commit:
        merged = {entry.name for entry in await list_tree(services, repository, default)}
        chosen = await _read_component(session, repository, default, merged)
    annotations = (chosen or {}).get("metadata", {}).get("annotations") or {}
    return Project(
        has_makefile=bool(names & set(MAKEFILES)),
        has_catalog_file=bool(names & set(CATALOG_FILES)),
        subject=str(ref_of(document)) if document else repository.entity_ref,
        name=str(document["metadata"]["name"]) if document else repository.name,
        pipeline=_read_ref(annotations.get(ANNOTATION) or STANDARD),
    )


async def _read_component(
    session: ReadSession, repository: Repository, commit: str, names: set[str]
) -> dict[str, Any] | None:
    """Return the first component that the catalog file declares."""
    file = next((name for name in CATALOG_FILES if name in names), None)
    if file is None:
        return None
    try:
        content = await read_file(session.services, repository, commit, file, limit_bytes=_CATALOG_BYTES)
    except PathNotFound:  # a folder of that name
        return None
    for document in read_documents(content, file=file).documents:
        data: dict[str, Any] = document.data
        metadata = data.get("metadata")
        if data.get("kind") == "Component" and isinstance(metadata, dict) and isinstance(metadata.get("name"), str):
            return data
    return None


def _read_ref(value: object) -> str:
    try:
        return str(parse_ref(value, default_kind="pipeline"))
    except InvalidRef as error:
        raise PipelineInvalid(
            f"The annotation {ANNOTATION} does not name a pipeline: {error}.",
            hint=f"Write a name or ref, such as {STANDARD}.",
        ) from error


async def get_pipeline(session: ReadSession, ref: str) -> Pipeline:
    """Return a pipeline as it is in force.

    Every one that is not built in has the required stages of the standard pipeline: whoever may write an entity must
    not be able to leave them out.

    Raises:
        PipelineInvalid: it does not exist, or cannot be run.
    """
    return await _resolve(session, ref, ())


async def _resolve(session: ReadSession, ref: str, above: tuple[str, ...]) -> Pipeline:
    entity = await find_entity(session, parse_ref(ref))
    if entity is None:
        raise PipelineInvalid(
            f"There is no {ref} in the catalog.", hint=f"Correct the annotation {ANNOTATION}, or register the pipeline."
        )
    own = read_pipeline(ref, entity.spec)
    base = _base_of(entity)
    if base is None:
        return own
    if base == ref or base in above or len(above) >= _MAX_BASES:
        raise PipelineInvalid(f"{ref} extends itself, over {', '.join((*above, base))}.", hint="Break the circle.")
    return extend(await _resolve(session, base, (*above, ref)), own)


def _base_of(entity: EntitySummary) -> str | None:
    extends = entity.spec.get("extends")
    if extends:
        return _read_ref(extends)
    return None if entity.is_built_in else STANDARD

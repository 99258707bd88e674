"""The words of the domain as types."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID


@dataclass(frozen=True, kw_only=True)
class ArtifactMeta:
    """What is known of a tree that becomes an artifact.

    Args:
        name: of the workload: `orders`.
        version: for people; the short commit when nothing better is known.
        repository: `owner/name`.
        commit: the full id.
        command: starts it, from inside the tree.
        run_id: the pipeline run that made it.
        subject: ref of the component.
        sbom: a CycloneDX document.
    """

    name: str
    version: str
    repository: str
    commit: str
    command: tuple[str, ...] = ()
    run_id: UUID | None = None
    subject: str | None = None
    sbom: bytes | None = None


@dataclass(frozen=True)
class Artifact:
    """A stored artifact. `digest` is its manifest's, `size_bytes` that of its files."""

    digest: str
    name: str
    version: str
    repository: str
    commit: str
    command: tuple[str, ...]
    run_id: UUID | None
    subject: str | None
    size_bytes: int
    file_count: int
    sbom_digest: str | None
    created_at: datetime

    @property
    def page(self) -> str:
        return f"/artifacts/{self.digest}"


@dataclass(frozen=True)
class ArtifactFilter:
    """Which artifacts; what is empty does not limit."""

    repository: str | None = None
    commit: str | None = None
    subject: str | None = None
    run_id: UUID | None = None


@dataclass(frozen=True)
class SbomComponent:
    """One line of an SBOM."""

    name: str
    version: str
    type: str
    licenses: tuple[str, ...]
    purl: str

"""What other domains may use of artifacts."""

from roadbed.artifacts.access import ARTIFACT_READ
from roadbed.artifacts.errors import ArtifactInvalid, ArtifactNotFound
from roadbed.artifacts.service.artifacts import (
    find_artifact,
    get_artifact,
    list_artifacts,
    remove_artifact,
    store_tree,
    unpack,
)
from roadbed.artifacts.service.trees import remove_unpacked
from roadbed.artifacts.types import Artifact, ArtifactFilter, ArtifactMeta

__all__ = [
    "ARTIFACT_READ",
    "Artifact",
    "ArtifactFilter",
    "ArtifactInvalid",
    "ArtifactMeta",
    "ArtifactNotFound",
    "find_artifact",
    "get_artifact",
    "list_artifacts",
    "remove_artifact",
    "remove_unpacked",
    "store_tree",
    "unpack",
]

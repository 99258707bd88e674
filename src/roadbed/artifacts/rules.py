"""Pure rules: the documents of an OCI image, which paths and links a tree may hold, and what an SBOM says."""

import platform
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from roadbed.artifacts.errors import ArtifactInvalid
from roadbed.artifacts.types import ArtifactMeta, SbomComponent
from roadbed.core.blobs import Blob
from roadbed.kit import jsons

LAYER_TYPE = "application/vnd.oci.image.layer.v1.tar+gzip"
CONFIG_TYPE = "application/vnd.oci.image.config.v1+json"
MANIFEST_TYPE = "application/vnd.oci.image.manifest.v1+json"
ROOT = "app"
"""The folder of the image that holds the tree."""

_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


def image_config(meta: ArtifactMeta, *, diff_id: str) -> bytes:
    """Return the OCI image configuration. It has no time in it: the same tree gives the same digest."""
    machine = platform.machine()
    return jsons.canonical_json(
        {
            "architecture": _ARCHITECTURES.get(machine, machine),
            "os": "linux",
            "config": {"Cmd": list(meta.command), "WorkingDir": f"/{ROOT}"},
            "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        }
    )


def image_manifest(meta: ArtifactMeta, *, config: Blob, layer: Blob) -> bytes:
    """Return the OCI manifest, whose digest is the artifact's."""
    return jsons.canonical_json(
        {
            "schemaVersion": 2,
            "mediaType": MANIFEST_TYPE,
            "config": {"mediaType": CONFIG_TYPE, "digest": config.digest, "size": config.size_bytes},
            "layers": [{"mediaType": LAYER_TYPE, "digest": layer.digest, "size": layer.size_bytes}],
            "annotations": {
                "org.opencontainers.image.title": meta.name,
                "org.opencontainers.image.version": meta.version,
                "org.opencontainers.image.source": meta.repository,
                "org.opencontainers.image.revision": meta.commit,
            },
        }
    )


def is_manifest(data: bytes) -> bool:
    """Tell whether a blob is the manifest of an artifact."""
    if not data.startswith(b"{") or MANIFEST_TYPE.encode() not in data:
        return False
    found = jsons.parse_json(data)
    return bool(found.get("mediaType") == MANIFEST_TYPE and found.get("layers"))


def contents_of(manifest: bytes) -> set[str]:
    """Return the digests of what a manifest names: configuration and layers."""
    found = jsons.parse_json(manifest)
    return {found["config"]["digest"], *(layer["digest"] for layer in found["layers"])}


def layer_of(manifest: bytes) -> str:
    """Return the digest of the one layer that a manifest names."""
    layers = jsons.parse_json(manifest)["layers"]
    if len(layers) != 1 or layers[0]["mediaType"] != LAYER_TYPE:
        raise ArtifactInvalid("This is no artifact of Roadbed: it does not have exactly one layer.")
    digest: str = layers[0]["digest"]
    return digest


def check_path(name: str) -> PurePosixPath:
    """Return a path of an archive as one below the tree.

    Raises:
        ArtifactInvalid: it leads elsewhere.
    """
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts or path.parts[0] != ROOT or "\0" in name:
        raise ArtifactInvalid(f"The archive holds {name[:200]!r}, which is outside its tree.")
    return path.relative_to(ROOT)


def check_link(path: PurePosixPath, target: str) -> None:
    """Refuse a symbolic link that leads out of the tree.

    Raises:
        ArtifactInvalid: it is absolute, or climbs above the top.
    """
    depth = len(path.parent.parts)
    parts = PurePosixPath(target).parts
    for part in parts:
        depth += -1 if part == ".." else 1
        if depth < 0:
            break
    if not parts or PurePosixPath(target).is_absolute() or depth < 0 or "\0" in target:
        raise ArtifactInvalid(
            f"{path} is a link to {target[:200]}, which is outside the tree.",
            hint="Copy what it points to into the folder that is built.",
        )


def read_components(sbom: Mapping[str, Any]) -> list[SbomComponent]:
    """Return what a CycloneDX document lists, by name. What is not of the expected form is left out."""
    listed = sbom.get("components")
    found = [
        SbomComponent(
            name=str(entry["name"]),
            version=str(entry.get("version") or ""),
            type=str(entry.get("type") or "library"),
            licenses=_licenses(entry.get("licenses")),
            purl=str(entry.get("purl") or ""),
        )
        for entry in (listed if isinstance(listed, list) else [])
        if isinstance(entry, dict) and entry.get("name")
    ]
    return sorted(found, key=lambda component: (component.name.lower(), component.version))


def _licenses(value: Any) -> tuple[str, ...]:
    found = []
    for entry in value if isinstance(value, list) else []:
        if not isinstance(entry, dict):
            continue
        license_ = entry.get("license")
        name = license_.get("id") or license_.get("name") if isinstance(license_, dict) else entry.get("expression")
        if isinstance(name, str) and len(name) <= 100:
            found.append(name)
    return tuple(found)

"""Artifacts over REST and on their page: what they hold and where they come from."""

import json
import os
from pathlib import Path
from typing import Any

import httpx
import pytest

from roadbed.artifacts.contract import Artifact, ArtifactInvalid, ArtifactMeta, store_tree, unpack
from roadbed.artifacts.service.collecting import collect_unused
from roadbed.core.actor import system_actor
from roadbed.core.blobs import BlobStore
from tests.support import RunningServer

ACTOR = system_actor("tests")
SBOM = {
    "bomFormat": "CycloneDX",
    "specVersion": "1.6",
    "components": [
        {"type": "library", "name": "uvicorn", "version": "0.54.0", "licenses": [{"license": {"id": "BSD-3-Clause"}}]},
        {"type": "library", "name": "fastapi", "version": "0.165.0", "licenses": [{"expression": "MIT"}]},
        {"type": "library", "name": "<b>odd</b>", "licenses": "none"},
        "not a component",
    ],
}


def make_meta(name: str, **more: Any) -> ArtifactMeta:
    values: dict[str, Any] = {
        "name": name,
        "version": "1.2.3",
        "repository": f"shop/{name}",
        "commit": "c" * 40,
        "command": ("python", "-m", "app"),
        "subject": f"component:default/{name}",
    }
    return ArtifactMeta(**(values | more))


def store(server: RunningServer, tmp_path: Path, name: str, **more: Any) -> Artifact:
    folder = tmp_path / "app"
    folder.mkdir(exist_ok=True)
    (folder / "main.py").write_text(f"print({name!r})\n")
    return server.run(store_tree(server.services, ACTOR, folder, make_meta(name, **more)))


@pytest.fixture
def viewer(server: RunningServer) -> httpx.Client:
    return server.client_as("viewer")


def test_artifact_is_an_oci_image_of_one_layer(server: RunningServer, tmp_path: Path) -> None:
    artifact = store(server, tmp_path, "oci")
    blobs = server.services.get(BlobStore)
    manifest = json.loads(blobs.read(artifact.digest))
    assert manifest["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert len(manifest["layers"]) == 1
    config = json.loads(blobs.read(manifest["config"]["digest"]))
    assert config["config"] == {"Cmd": ["python", "-m", "app"], "WorkingDir": "/app"}
    assert len(config["rootfs"]["diff_ids"]) == 1
    assert len(blobs.read(manifest["layers"][0]["digest"])) == manifest["layers"][0]["size"]


def test_same_tree_of_the_same_commit_is_one_artifact(
    server: RunningServer, tmp_path: Path, viewer: httpx.Client
) -> None:
    first, second = store(server, tmp_path, "twice"), store(server, tmp_path, "twice")
    other = store(server, tmp_path, "twice", commit="d" * 40)
    assert first == second
    assert other.digest != first.digest
    items = viewer.get("/api/v1/artifacts", params={"repository": "shop/twice"}).json()["items"]
    assert [item["digest"] for item in items] == [other.digest, first.digest]
    unpacked = tmp_path / "unpacked"
    server.run(unpack(server.services, first.digest, unpacked))
    assert (unpacked / "main.py").read_text() == "print('twice')\n"


def test_artifact_is_given_over_rest_with_its_sbom(server: RunningServer, tmp_path: Path, viewer: httpx.Client) -> None:
    artifact = store(server, tmp_path, "listed", sbom=json.dumps(SBOM).encode())
    answer = viewer.get(f"/api/v1/artifacts/{artifact.digest}").json()
    assert answer["repository"] == "shop/listed"
    assert answer["command"] == ["python", "-m", "app"]
    assert viewer.get(f"/api/v1/artifacts/{artifact.digest}/sbom").json() == SBOM
    page = viewer.get(f"/artifacts/{artifact.digest}").text
    assert "3 components" in page
    assert page.index("fastapi") < page.index("uvicorn")
    assert "<b>odd" not in page


def test_missing_sbom_is_said(server: RunningServer, tmp_path: Path, viewer: httpx.Client) -> None:
    artifact = store(server, tmp_path, "bare", command=(), subject=None)
    assert viewer.get(f"/api/v1/artifacts/{artifact.digest}/sbom").status_code == 404
    page = viewer.get(f"/artifacts/{artifact.digest}").text
    assert "made no list of what is in it" in page
    assert "not declared in score.yaml" in page


def test_sbom_that_is_none_is_refused(server: RunningServer, tmp_path: Path) -> None:
    with pytest.raises(ArtifactInvalid, match="bomFormat"):
        store(server, tmp_path, "wrong", sbom=b"{}")
    with pytest.raises(ArtifactInvalid, match="cannot be read"):
        store(server, tmp_path, "wrong", sbom=b"[" * 100_000)


def test_stored_file_that_nothing_refers_to_is_listed_and_collected_when_it_is_old(
    server: RunningServer, tmp_path: Path
) -> None:
    artifact = store(server, tmp_path, "owned", sbom=json.dumps(SBOM | {"serialNumber": "owned"}).encode())
    blobs = server.services.get(BlobStore)
    manifest = json.loads(blobs.read(artifact.digest))
    owned = [artifact.digest, artifact.sbom_digest, manifest["config"]["digest"], manifest["layers"][0]["digest"]]
    old, young, again = (blobs.put(f"{word} of {tmp_path}".encode()).digest for word in ("old", "young", "again"))
    for digest in (*owned, old, again):
        path = server.home / "blobs" / "sha256" / digest[7:9] / digest[7:]
        os.utime(path, (path.stat().st_atime, path.stat().st_mtime - 3 * 24 * 3600 - 60))
    listed = server.client_as("admin").get("/api/v1/inventory", params={"kind": "blob"}).json()["items"]
    found = {item["name"]: item for item in listed}
    assert not found.keys() & set(owned)
    assert (found[old]["is_explained"], found[young]["is_explained"]) == (False, True)
    assert "Nothing refers to it" in found[old]["reason"]
    assert "it is deleted within an hour" in found[old]["hint"]
    blobs.put(f"again of {tmp_path}".encode())  # a pipeline has stored the same: it is about to be recorded
    server.run(collect_unused(server.services))
    assert {*owned, young, again} <= (there := {blob.digest for blob in blobs.list_all()})
    assert old not in there
    blobs.remove(young)
    blobs.remove(again)


def test_unknown_artifact_is_not_found(viewer: httpx.Client, server: RunningServer) -> None:
    answer = viewer.get("/api/v1/artifacts/sha256:none")
    assert answer.status_code == 404
    assert answer.json()["code"] == "artifacts.artifact_not_found"
    assert server.client().get("/api/v1/artifacts").status_code == 401

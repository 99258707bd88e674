"""The built-in step `artifact`: keeps what a build left as an artifact with its SBOM."""

import asyncio
from pathlib import Path, PurePosixPath
from typing import Any

from roadbed.artifacts.contract import Artifact, ArtifactInvalid, ArtifactMeta, store_tree
from roadbed.catalog.contract import read_documents
from roadbed.core.blobs import BlobStore
from roadbed.core.sandbox import find_file
from roadbed.delivery import repository as table
from roadbed.delivery.rules.score import find_command
from roadbed.delivery.service.reports import list_reports
from roadbed.delivery.types import ReportKind, ReportState
from roadbed.delivery.workflows.workspaces import Place
from roadbed.kit.text import filesize, plural
from roadbed.runs.contract import StepContext, StepFailed

BUILT = "build/app"
SCORE_FILE = "score.yaml"


class NothingThere(StepFailed):
    """A step has nothing to work on; whether that is a failure is the stage's business."""


async def keep_artifact(context: StepContext, place: Place, arguments: dict[str, Any]) -> Artifact:
    """Store the folder that the build left; `arguments` may name another `path` or `score` file.

    Raises:
        NothingThere: there is no such folder.
        StepFailed: it cannot be kept.
    """
    name = str(arguments.get("path", BUILT))
    folder = _find_folder(place, name)
    if folder is None:
        raise NothingThere(
            f"The build left no folder {name}.", hint="Let `make build` put what is to be run there, and nothing else."
        )
    meta = ArtifactMeta(
        name=context.run_inputs["name"],
        version=context.run_inputs["commit"][:7],
        repository=context.run_inputs["repository"],
        commit=context.run_inputs["commit"],
        command=_read_command(context, place, str(arguments.get("score", SCORE_FILE))),
        run_id=context.run_id,
        subject=context.subject,
        sbom=await _find_sbom(context),
    )
    try:
        artifact = await store_tree(context.services, context.actor, folder, meta)
    except ArtifactInvalid as error:
        raise StepFailed(f"{name} cannot be kept as an artifact. {error.message}", hint=error.hint) from error
    async with context.database.write() as session:
        await table.set_artifact(session, context.run_id, artifact.digest)
    title = f"{artifact.name} {artifact.version}"
    await context.link("artifact", title=title, href=artifact.page, meta=filesize(artifact.size_bytes))
    context.log(f"Artifact {artifact.digest}: {plural(artifact.file_count, 'file')}, {filesize(artifact.size_bytes)}")
    return artifact


def _find_folder(place: Place, name: str) -> Path | None:
    """Return a folder of the workspace; a link out of it does not count."""
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or not path.parts:
        return None
    folder = (place.source / path).resolve()
    return folder if folder.is_dir() and folder.is_relative_to(place.folder.resolve()) else None


def _read_command(context: StepContext, place: Place, name: str) -> tuple[str, ...]:
    file = find_file(place.folder, f"source/{name}")
    if file is None:
        context.log(f"There is no {name}: the artifact does not know how it is started.", stream="info")
        return ()
    for document in read_documents(file.read_bytes(), file=name).documents:
        command = find_command(document.data)
        if command:
            return command
    context.log(f"{name} declares no command for what is built here (image: .).", stream="info")
    return ()


async def _find_sbom(context: StepContext) -> bytes | None:
    """Return the SBOM that a stage before this one reported."""
    async with context.database.read() as session:
        reports = await list_reports(session, context.run_id)
    digests = [
        report.blob
        for report in reports
        if report.kind is ReportKind.SBOM and report.state is ReportState.PASSED and report.blob
    ]
    if not digests:
        context.log("No stage reported an SBOM: what is in the artifact is not known.", stream="info")
        return None
    return await asyncio.to_thread(context.services.get(BlobStore).read, digests[-1])

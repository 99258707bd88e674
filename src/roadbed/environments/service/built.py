"""What the pipeline of a component made, with the Score file of its commit."""

from typing import Any

from roadbed.artifacts.contract import Artifact, ArtifactFilter, list_artifacts
from roadbed.catalog.contract import read_documents
from roadbed.core.db import ReadSession
from roadbed.environments.errors import ScoreInvalid
from roadbed.environments.types import Choice
from roadbed.scm.contract import PathNotFound, RepositoryNotFound, RevisionNotFound, get_repository, read_file

SCORE_FILE = "score.yaml"
_SCORE_BYTES = 1_000_000
_LOOKED_AT = 500


async def find_built(session: ReadSession, component: str, choice: Choice) -> Artifact | None:
    """Return the newest artifact of a component that fits; only the last ones are looked at."""
    found = await list_artifacts(session, ArtifactFilter(subject=component), limit=_LOOKED_AT)
    return next((artifact for artifact in found if _fits(artifact, choice)), None)


def _fits(artifact: Artifact, choice: Choice) -> bool:
    return (
        choice.version in (None, artifact.version)
        and choice.artifact in (None, artifact.digest)
        and (choice.commit is None or artifact.commit.startswith(choice.commit))
    )


async def read_score_of(session: ReadSession, artifact: Artifact) -> dict[str, Any]:
    """Return the Score document of the commit that an artifact was made from.

    Raises:
        ScoreInvalid: there is none, or it is no YAML.
    """
    where = f"{SCORE_FILE} of {artifact.repository or 'the artifact'} at {artifact.commit[:7]}"
    owner, _, name = artifact.repository.partition("/")
    try:
        repository = await get_repository(session, owner, name)
        content = await read_file(session.services, repository, artifact.commit, SCORE_FILE, limit_bytes=_SCORE_BYTES)
    except (RepositoryNotFound, RevisionNotFound, PathNotFound) as error:
        raise ScoreInvalid(
            f"{where} is not there: {error.message}", hint="Say in a Score file how the component runs, and push."
        ) from error
    reading = read_documents(content, file=SCORE_FILE)
    if reading.problems or not reading.documents:
        reason = f"line {reading.problems[0].line}: {reading.problems[0].reason}" if reading.problems else "it is empty"
        raise ScoreInvalid(f"{where} cannot be read: {reason}.", hint="Mend it and push again.")
    data: dict[str, Any] = reading.documents[0].data
    return data

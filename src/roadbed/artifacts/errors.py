"""What can go wrong with artifacts."""

from roadbed.core.errors import Invalid, NotFound


class ArtifactNotFound(NotFound):
    code = "artifacts.artifact_not_found"


class ArtifactInvalid(Invalid):
    """A tree cannot become an artifact, or an artifact cannot be unpacked."""

    code = "artifacts.artifact_invalid"

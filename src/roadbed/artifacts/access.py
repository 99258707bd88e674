"""Who may see artifacts."""

from typing import Annotated

from roadbed.core.access import VIEWERS, Permission, requires
from roadbed.core.actor import Actor

ARTIFACT_READ = Permission("artifacts.artifact.read", "See artifacts and what is in them", VIEWERS)

ArtifactReader = Annotated[Actor, requires(ARTIFACT_READ)]

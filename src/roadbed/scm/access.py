"""Who may do what with repositories and change requests."""

from typing import Annotated

from roadbed.core.access import DEVELOPERS, PLATFORM, VIEWERS, Permission, requires
from roadbed.core.actor import Actor

REPOSITORY_READ = Permission("scm.repository.read", "See, clone and fetch repositories", VIEWERS)
REPOSITORY_WRITE = Permission("scm.repository.write", "Push to repositories", DEVELOPERS)
REPOSITORY_CREATE = Permission("scm.repository.create", "Create repositories", DEVELOPERS)
REPOSITORY_MANAGE = Permission(
    "scm.repository.manage", "Rename, protect and delete repositories, and set webhooks", PLATFORM
)
CHANGE_WRITE = Permission("scm.change_request.write", "Open, discuss and close change requests", DEVELOPERS)
CHANGE_APPROVE = Permission("scm.change_request.approve", "Approve change requests", DEVELOPERS)
CHANGE_MERGE = Permission("scm.change_request.merge", "Merge change requests", DEVELOPERS)
STATUS_WRITE = Permission("scm.commit_status.write", "Say whether a commit passes a check", PLATFORM)

RepositoryReader = Annotated[Actor, requires(REPOSITORY_READ)]
RepositoryWriter = Annotated[Actor, requires(REPOSITORY_WRITE)]
RepositoryCreator = Annotated[Actor, requires(REPOSITORY_CREATE)]
RepositoryManager = Annotated[Actor, requires(REPOSITORY_MANAGE)]
ChangeWriter = Annotated[Actor, requires(CHANGE_WRITE)]
ChangeApprover = Annotated[Actor, requires(CHANGE_APPROVE)]
ChangeMerger = Annotated[Actor, requires(CHANGE_MERGE)]
StatusWriter = Annotated[Actor, requires(STATUS_WRITE)]

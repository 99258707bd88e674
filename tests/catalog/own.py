"""A repository of the built-in host for tests of the catalog."""

from collections.abc import Mapping

from roadbed.core.actor import system_actor
from roadbed.scm.contract import (
    Author,
    FileContent,
    MergeMethod,
    Repository,
    RepositoryWish,
    TreeChange,
    branch_ref,
    clone_url,
    commit_files,
    create_repository,
    merge_change_request,
    read_file,
)
from roadbed.scm.service.changes import approve_change_request
from tests.support import RunningServer

ACTOR = system_actor("tests")


class Own:
    """A repository of the built-in host. Paths are given as they are."""

    def __init__(self, server: RunningServer, name: str, owner: str = "catalog-tests") -> None:
        self.server = server

        async def create() -> Repository:
            async with server.database.write() as session:
                return await create_repository(session, ACTOR, RepositoryWish(owner, name))

        self.repository = server.run(create())
        self.full_name = self.repository.full_name
        self.url = clone_url(server.services, self.repository)

    def commit(self, files: Mapping[str, str], branch: str = "main") -> str:
        contents = {path: FileContent(text.encode()) for path, text in files.items()}
        change = TreeChange(branch_ref(branch), contents, "Change", Author("Ada", "ada@example.com"))
        return self.server.run(commit_files(self.server.services, ACTOR, self.repository.id, change))

    def read(self, path: str, revision: str = "main") -> str:
        return self.server.run(read_file(self.server.services, self.repository, revision, path)).decode()

    def merge(self, number: int) -> None:
        """Have somebody approve a change request, and merge it."""

        async def approve() -> None:
            async with self.server.database.write() as session:
                await approve_change_request(session, system_actor("reviewer"), self.repository, number)

        self.server.run(approve())
        self.server.run(
            merge_change_request(self.server.services, ACTOR, self.repository.id, number, method=MergeMethod.MERGE)
        )

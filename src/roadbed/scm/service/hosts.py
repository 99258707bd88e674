"""The hosts that keep git data, and which of them keeps a repository's."""

from roadbed.scm.types import Repository, ScmHost


class ScmHosts:
    """The box in which hosts are put (a Protocol cannot be a service key)."""

    def __init__(self, *hosts: ScmHost) -> None:
        self._by_name = {host.name: host for host in hosts}

    def of(self, repository: Repository) -> ScmHost:
        """Return the host that keeps the repository's data."""
        return self.named(repository.host)

    def named(self, name: str) -> ScmHost:
        return self._by_name[name]

"""Which repositories of an organisation are read."""

from collections.abc import Iterable
from fnmatch import fnmatchcase

from roadbed.integrations.github.types import Repository, Wanted


def choose(repositories: Iterable[Repository], wanted: Wanted) -> list[Repository]:
    """Return the repositories that a location asks for, by name. Names and topics are compared in lower case."""
    return sorted((one for one in repositories if _is_wanted(one, wanted)), key=lambda one: one.name)


def _is_wanted(repository: Repository, wanted: Wanted) -> bool:
    if (repository.is_archived and not wanted.has_archived) or (repository.is_fork and not wanted.has_forks):
        return False
    topics = {topic.lower() for topic in repository.topics}
    if wanted.topics and not topics & {topic.lower() for topic in wanted.topics}:
        return False
    if topics & {topic.lower() for topic in wanted.exclude_topics}:
        return False
    is_named = not wanted.repositories or _matches(repository.name, wanted.repositories)
    return is_named and not _matches(repository.name, wanted.exclude_repositories)


def _matches(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in patterns)

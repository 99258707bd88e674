"""The files around the entities of a location, for domains that read more of a repository than its catalog files."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

from roadbed.catalog.rules.targets import TargetError, parse_git_target
from roadbed.catalog.types import LocationSummary, LocationType


@dataclass(frozen=True)
class LocationPlace:
    """Where a location leads.

    Args:
        url: of its git repository; None for files of the server, and for a single address.
        branch: what is read of it; None for its default branch.
        own_repository: owner and name, when it is a repository of Roadbed's own host.
    """

    url: str | None = None
    branch: str | None = None
    own_repository: tuple[str, str] | None = None


class LocationTree(Protocol):
    """Files as they were at one moment. Paths are those of the location. Reading blocks: use it in a thread."""

    revision: str
    paths: frozenset[str]

    def read(self, path: str, *, limit_bytes: int) -> bytes | None:
        """Return a file; None when it is longer, or has gone."""


class LocationTrees:
    """Opens the files of a location of type git, for a repository elsewhere, or of type file; on the host only."""

    def __init__(self, open_tree: Callable[[LocationSummary, str], LocationTree]) -> None:
        self._open = open_tree

    def open(self, location: LocationSummary, folder: str) -> LocationTree:
        """Open the files below a folder, without fetching anything. It blocks: use it in a thread.

        Raises:
            LocationUnreadable: it was not read yet, or is gone.
        """
        return self._open(location, folder)


def place_of_location(location: LocationSummary) -> LocationPlace:
    """Return where a location leads."""
    if location.type != LocationType.GIT:
        return LocationPlace()
    try:
        target = parse_git_target(location.target)
    except TargetError:  # it was written by an older version
        return LocationPlace()
    return LocationPlace(target.url, target.branch, target.own_repository)

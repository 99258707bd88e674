"""What can go wrong with golden paths."""

from roadbed.core.errors import Conflict, Expired, Invalid, NotFound, RoadbedError, Unavailable


class PathNotFound(NotFound):
    code = "goldenpaths.path_not_found"


class PathUnusable(Conflict):
    """The template itself is wrong: an unknown action, parameters that are no JSON Schema. `problems` has all."""

    code = "goldenpaths.path_unusable"


class ValuesInvalid(Invalid):
    """Answers that the path's parameters do not accept; `problems` names page, field and reason of each."""

    code = "goldenpaths.values_invalid"


class WouldFail(Conflict):
    """A step is known to fail before the run is started."""

    code = "goldenpaths.would_fail"


class InputInvalid(Invalid):
    """A step's input is not what its action takes."""

    code = "goldenpaths.input_invalid"


class SourceOutside(Invalid):
    """A template wants files from outside its own source."""

    code = "goldenpaths.source_outside"


class SourceUnreadable(Unavailable):
    code = "goldenpaths.source_unreadable"


class NothingRendered(RoadbedError):
    """A repository was to be created from an empty workspace."""

    code = "goldenpaths.nothing_rendered"


class NothingRegistered(RoadbedError):
    """A catalog file was read and no entity came out of it."""

    code = "goldenpaths.nothing_registered"


class DraftGone(Expired):
    code = "goldenpaths.draft_gone"

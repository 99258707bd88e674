"""What can go wrong with runs."""

from roadbed.core.errors import Conflict, Invalid, NotFound, RoadbedError


class RunNotFound(NotFound):
    code = "runs.run_not_found"


class StepNotFound(NotFound):
    code = "runs.step_not_found"


class RunFinishedAlready(Conflict):
    code = "runs.already_finished"


class RunCancelled(Conflict):
    """The run was cancelled, so it starts nothing more."""

    code = "runs.run_cancelled"


class RunNotFailed(Conflict):
    code = "runs.not_failed"


class UnknownStepKind(Invalid):
    code = "runs.unknown_step_kind"


class StepTimedOut(RoadbedError):
    code = "runs.step_timed_out"


class StepFailed(RoadbedError):
    """A step's own work failed: tests, a command, a health check. The log has the rest."""

    code = "runs.step_failed"


class UnexpectedStepError(RoadbedError):
    code = "runs.unexpected_error"

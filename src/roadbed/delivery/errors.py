"""What can go wrong with pipelines."""

from roadbed.core.errors import Forbidden, Invalid, NotFound


class PipelineRunNotFound(NotFound):
    code = "delivery.pipeline_run_not_found"


class PipelineInvalid(Invalid):
    """A pipeline cannot be run as it is declared."""

    code = "delivery.pipeline_invalid"


class NothingToRun(Invalid):
    """The commit has no Makefile."""

    code = "delivery.nothing_to_run"


class NotIsolated(Forbidden):
    """This machine cannot keep commands from the server's files, so only admins may start them."""

    code = "delivery.not_isolated"


class ReportUnreadable(Invalid):
    """A file that a stage left is not what it should be."""

    code = "delivery.report_unreadable"

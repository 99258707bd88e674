"""What can go wrong with documentation."""

from roadbed.core.errors import Invalid, NotFound, Unavailable


class SiteNotFound(NotFound):
    """The entity has no documentation, or does not exist."""

    code = "docs.site_not_found"


class PageNotFound(NotFound):
    code = "docs.page_not_found"


class VersionNotFound(NotFound):
    code = "docs.version_not_found"


class RunbookNotFound(NotFound):
    """The entity names no runbook, or one that is not there."""

    code = "docs.runbook_not_found"


class ReportInvalid(Invalid):
    """A report of a problem without words, or with too many."""

    code = "docs.report_invalid"


class ReportNotFound(NotFound):
    code = "docs.report_not_found"


class RefInvalid(Invalid):
    """The annotation of an entity leads to nothing that can be read."""

    code = "docs.ref_invalid"


class SourceUnreadable(Unavailable):
    """The files of a site could not be read; its last version stays."""

    code = "docs.source_unreadable"


class NothingToRender(Invalid):
    """There is no Markdown where the annotation leads."""

    code = "docs.nothing_to_render"


class SiteTooLarge(Invalid):
    code = "docs.site_too_large"


class ConfigRefused(Invalid):
    """The mkdocs.yml of a site asks for something that is not done for it."""

    code = "docs.config_refused"


class RenderingFailed(Invalid):
    """What renders the pages ended with an error, or took too long."""

    code = "docs.rendering_failed"


class EditRefused(Invalid):
    """A page cannot be changed here."""

    code = "docs.edit_refused"

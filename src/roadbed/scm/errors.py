"""What can go wrong with repositories and change requests."""

from roadbed.core.errors import Conflict, Forbidden, Invalid, NotFound, TooLarge, Unauthenticated, Unavailable


class RepositoryNotFound(NotFound):
    code = "scm.repository_not_found"


class RepositoryExists(Conflict):
    code = "scm.repository_exists"


class RepositoryMissing(Unavailable):
    """The database knows the repository and had commits in it, but its folder is gone."""

    code = "scm.repository_missing"


class InvalidName(Invalid):
    code = "scm.invalid_name"


class InvalidPath(Invalid):
    code = "scm.invalid_path"


class RevisionNotFound(NotFound):
    code = "scm.revision_not_found"


class PathNotFound(NotFound):
    code = "scm.path_not_found"


class FileTooLarge(TooLarge):
    code = "scm.file_too_large"


class RefMoved(Conflict):
    """The branch is not where the caller thought: somebody else was faster."""

    code = "scm.ref_moved"


class PushTooLarge(TooLarge):
    code = "scm.push_too_large"


class InvalidTransfer(Invalid):
    """A request to the git address that the git client would not send."""

    code = "scm.invalid_transfer"


class GitFailed(Unavailable):
    """Git ended with an error that is not the caller's fault."""

    code = "scm.git_failed"


class GitMissing(Unavailable):
    """The git host needs the program git, and the server does not find it."""

    code = "scm.git_missing"


class ChangeRequestNotFound(NotFound):
    code = "scm.change_request_not_found"


class ChangeRequestExists(Conflict):
    code = "scm.change_request_exists"


class InvalidChangeRequest(Invalid):
    code = "scm.invalid_change_request"


class ChangeRequestClosed(Conflict):
    code = "scm.change_request_closed"


class MergeBlocked(Conflict):
    """Something has to happen first; `context["reasons"]` lists what."""

    code = "scm.merge_blocked"


class MergeConflict(Conflict):
    """Both sides changed the same lines; `context["paths"]` lists the files."""

    code = "scm.merge_conflict"


class OwnApproval(Forbidden):
    code = "scm.own_approval"


class InvalidStatus(Invalid):
    code = "scm.invalid_status"


class WebhookNotFound(NotFound):
    code = "scm.webhook_not_found"


class InvalidWebhook(Invalid):
    code = "scm.invalid_webhook"


class IncomingHookNotFound(NotFound):
    code = "scm.incoming_hook_not_found"


class InvalidIncomingHook(Invalid):
    code = "scm.invalid_incoming_hook"


class SignatureRefused(Unauthenticated):
    """Whoever sent it does not know the secret of the webhook."""

    code = "scm.signature_refused"


class InvalidDelivery(Invalid):
    code = "scm.invalid_delivery"

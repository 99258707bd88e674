"""What can go wrong with accounts, roles, sessions and tokens."""

from roadbed.core.errors import Conflict, Expired, Forbidden, Invalid, NotFound, TooMany, Unauthenticated


class SignInRefused(Unauthenticated):
    code = "identity.sign_in_refused"


class TooManyAttempts(TooMany):
    code = "identity.too_many_attempts"


class AccountDisabled(Forbidden):
    code = "identity.account_disabled"


class BrowserOnly(Forbidden):
    code = "identity.browser_only"


class TokenInvalid(Unauthenticated):
    code = "identity.token_invalid"


class TokenExpired(Unauthenticated):
    code = "identity.token_expired"


class TokenNotFound(NotFound):
    code = "identity.token_not_found"


class SessionNotFound(NotFound):
    code = "identity.session_not_found"


class PasswordChangeExpired(Expired):
    code = "identity.password_change_expired"


class PasswordTooWeak(Invalid):
    code = "identity.password_too_weak"


class AccountNotFound(NotFound):
    code = "identity.account_not_found"


class AccountNameTaken(Conflict):
    code = "identity.account_name_taken"


class InvalidAccount(Invalid):
    code = "identity.invalid_account"


class InvalidToken(Invalid):
    code = "identity.invalid_token"


class LastAdmin(Conflict):
    code = "identity.last_admin"


class BeyondOwn(Forbidden):
    code = "identity.beyond_own"


class RoleNotFound(NotFound):
    code = "identity.role_not_found"


class RoleNameTaken(Conflict):
    code = "identity.role_name_taken"


class RoleFixed(Conflict):
    code = "identity.role_fixed"


class RoleInUse(Conflict):
    code = "identity.role_in_use"


class InvalidRole(Invalid):
    code = "identity.invalid_role"

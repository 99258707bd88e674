"""What can go wrong with secrets. No message ever carries a value."""

from roadbed.core.errors import Invalid, NotFound, Unavailable


class SecretNotFound(NotFound):
    code = "secrets.secret_not_found"


class InvalidSecretPath(Invalid):
    code = "secrets.invalid_path"


class InvalidSecretValue(Invalid):
    code = "secrets.invalid_value"


class InvalidKey(Invalid):
    """The key, or the file it lies in, cannot be used."""

    code = "secrets.invalid_key"


class KeyMissing(Unavailable):
    """Values are stored which none of the given keys opens."""

    code = "secrets.key_missing"


class ValueDamaged(Unavailable):
    """A stored value was changed outside Roadbed: it does not decrypt under its own key and path."""

    code = "secrets.value_damaged"

"""What other domains may use of secrets."""

from roadbed.secrets.access import SECRET_READ
from roadbed.secrets.errors import SecretNotFound
from roadbed.secrets.rules.paths import check_path, find_paths
from roadbed.secrets.service.mask import SecretMask
from roadbed.secrets.service.values import (
    delete_secret,
    delete_secrets_under,
    list_secrets,
    put_secret,
    resolve,
    resolve_all,
)
from roadbed.secrets.types import SCHEME, SecretInfo

__all__ = [
    "SCHEME",
    "SECRET_READ",
    "SecretInfo",
    "SecretMask",
    "SecretNotFound",
    "check_path",
    "delete_secret",
    "delete_secrets_under",
    "find_paths",
    "list_secrets",
    "put_secret",
    "resolve",
    "resolve_all",
]

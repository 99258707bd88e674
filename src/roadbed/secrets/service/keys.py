"""Where the key comes from: the setting, or a file of mode 0600 in the home folder."""

import base64
import binascii
import os
import stat
from pathlib import Path

from roadbed.core.setting_values import KEY_BYTES
from roadbed.core.settings import SecretsSettings
from roadbed.secrets.errors import InvalidKey
from roadbed.secrets.rules.cipher import Key

KEY_FILE = "secrets.key"


def find_key(settings: SecretsSettings, home: Path) -> Key | None:
    """Return the configured key, else the one in the home folder; None before the first start.

    Raises:
        InvalidKey: it is not 32 bytes in base64, or others may read the file.
    """
    if settings.key is not None:
        return parse_key(settings.key.get_secret_value(), source="ROADBED_SECRETS__KEY")
    path = home / KEY_FILE
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InvalidKey(f"The key file {path} cannot be read: {error.strerror}.", hint=_FILE_HINT) from error
    with os.fdopen(descriptor) as file:
        status = os.fstat(file.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise InvalidKey(f"The key file {path} is not a regular file.", hint=_FILE_HINT)
        if status.st_uid != os.geteuid() or status.st_mode & 0o077:
            raise InvalidKey(
                f"The key file {path} can be read by others (mode {stat.S_IMODE(status.st_mode):04o}, "
                f"owner {status.st_uid}).",
                hint=f"Run `chmod 600 {path}` as its owner {os.geteuid()}. If others may have read it, change the key: "
                "see How to change the secrets key.",
            )
        return parse_key(file.read(4096), source=str(path))


def previous_keys(settings: SecretsSettings) -> tuple[Key, ...]:
    """Return the keys that values may still be under."""
    return tuple(
        parse_key(key.get_secret_value(), source="ROADBED_SECRETS__PREVIOUS_KEYS") for key in settings.previous_keys
    )


def create_key_file(home: Path) -> Key:
    """Make a key and keep it in the home folder. An existing file is never overwritten.

    Raises:
        FileExistsError: there is one.
    """
    material = os.urandom(KEY_BYTES)
    fresh = home / f".{KEY_FILE}.{os.getpid()}"
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(base64.b64encode(material).decode() + "\n")
            file.flush()
            os.fsync(file.fileno())
        os.link(fresh, home / KEY_FILE)  # unlike a rename, this refuses to replace a file
    finally:
        fresh.unlink(missing_ok=True)
    folder = os.open(home, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
    return Key(material)


def parse_key(text: str, *, source: str) -> Key:
    """Read 32 bytes in base64 (standard or URL-safe).

    Raises:
        InvalidKey: it is something else; the message names `source`, never the text.
    """
    try:
        return Key(base64.b64decode(text.strip().translate(str.maketrans("-_", "+/")), validate=True))
    except (binascii.Error, ValueError) as error:
        raise InvalidKey(
            f"The secrets key in {source} is not {KEY_BYTES} bytes in base64.",
            hint="Give back the key that this Roadbed was started with. A new one is made with `openssl rand -base64 "
            f"{KEY_BYTES}`.",
        ) from error


_FILE_HINT = "Put the key back from your backup, or set ROADBED_SECRETS__KEY."

"""Encryption of one value: AES-256-GCM, a random nonce for each value, the path as associated data.

The associated data binds a value to its path and version: moved to another row, it does not decrypt. A key is known by
its id, a key check value derived from it by HMAC, which is stored beside each value.
"""

import hashlib
import hmac
import os
from dataclasses import dataclass, field

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from roadbed.core.setting_values import KEY_BYTES

NONCE_BYTES = 12  # what GCM is defined for (NIST SP 800-38D, 8.2.2)


class DecryptionError(Exception):
    """The ciphertext was not made with this key for this path and version."""


@dataclass(frozen=True)
class Sealed:
    """An encrypted value."""

    ciphertext: bytes
    nonce: bytes
    key_id: str


@dataclass(frozen=True)
class Key:
    """An AES-256 key. `id` tells which key it is and nothing about it."""

    material: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.material) != KEY_BYTES:
            raise ValueError(f"a key has {KEY_BYTES} bytes, this one has {len(self.material)}")

    @property
    def id(self) -> str:
        return hmac.new(self.material, b"roadbed key check value", hashlib.sha256).hexdigest()[:16]

    def seal(self, value: str, *, path: str, version: int) -> Sealed:
        nonce = os.urandom(NONCE_BYTES)
        ciphertext = AESGCM(self.material).encrypt(nonce, value.encode(), _associated(path, version))
        return Sealed(ciphertext, nonce, self.id)

    def open(self, sealed: Sealed, *, path: str, version: int) -> str:
        """Return the value.

        Raises:
            DecryptionError: it was not sealed with this key, or under another path or version.
        """
        try:
            return AESGCM(self.material).decrypt(sealed.nonce, sealed.ciphertext, _associated(path, version)).decode()
        except InvalidTag as error:
            raise DecryptionError(path) from error


def _associated(path: str, version: int) -> bytes:
    return f"secret://{path}#{version}".encode()

"""What is signed: the token with which an app says who it is (RS256), and the deliveries of webhooks (HMAC-SHA256)."""

import base64
import hashlib
import hmac
from datetime import datetime

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from roadbed.kit.jsons import canonical_json

_BEFORE_SECONDS, _VALID_SECONDS = 60, 540
"""GitHub takes tokens of at most ten minutes; clocks that differ by a minute are no reason to refuse one."""


class NoKey(ValueError):
    """A text that is no private RSA key; nothing of it is in the message."""


def sign_app_token(app_id: str, private_key: str, *, at: datetime) -> str:
    """Return the JSON Web Token of an app.

    Raises:
        NoKey: the key is not one.
    """
    try:
        key = load_pem_private_key(private_key.encode(), password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise NoKey("the private key of the app is no PEM without a password") from error
    if not isinstance(key, RSAPrivateKey):
        raise NoKey("the private key of the app is not an RSA key")
    seconds = int(at.timestamp())
    claims = {"iss": app_id, "iat": seconds - _BEFORE_SECONDS, "exp": seconds + _VALID_SECONDS}
    signed = f"{_encode(canonical_json({'alg': 'RS256', 'typ': 'JWT'}))}.{_encode(canonical_json(claims))}"
    return f"{signed}.{_encode(key.sign(signed.encode(), PKCS1v15(), hashes.SHA256()))}"


def is_authentic(signature: str, body: bytes, secret: str) -> bool:
    """Tell whether `X-Hub-Signature-256` proves that the sender of a body knows the secret."""
    wanted = "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.encode(), wanted.encode())


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()

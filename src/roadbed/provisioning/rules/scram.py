"""SCRAM-SHA-256 verifiers (RFC 5803), so that no password stands in a statement, and so in no server log."""

import base64
import hashlib
import hmac
import os

ITERATIONS = 4096
_SALT_BYTES = 16


def scram_verifier(password: str) -> str:
    """Return what PostgreSQL keeps of an ASCII password: `SCRAM-SHA-256$<iterations>:<salt>$<stored>:<server>`."""
    salt = os.urandom(_SALT_BYTES)
    salted = hashlib.pbkdf2_hmac("sha256", password.encode("ascii"), salt, ITERATIONS)
    client_key = hmac.digest(salted, b"Client Key", "sha256")
    server_key = hmac.digest(salted, b"Server Key", "sha256")
    stored_key = hashlib.sha256(client_key).digest()
    salt_text, stored, server = (base64.b64encode(part).decode() for part in (salt, stored_key, server_key))
    return f"SCRAM-SHA-256${ITERATIONS}:{salt_text}${stored}:{server}"

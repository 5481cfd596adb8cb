"""The written form of an API key: ``key_<26>.<40><7>``, an id, a secret and a checksum.

The fixed prefix lets scanners of leaked secrets recognise a key; the checksum lets them, and the
door, tell a mistyped one without asking the database.
"""

import hashlib
import hmac
import secrets
import zlib

from django.conf import settings

from exchange.foundation.ids import ALPHABET, is_id

SECRET_LENGTH = 40  # 200 random bits
CHECKSUM_LENGTH = 7  # 35 bits hold a CRC-32


def new_secret(public_id: str) -> str:
    """Return a fresh token for the key of this id."""
    token = public_id + "." + "".join(secrets.choice(ALPHABET) for _ in range(SECRET_LENGTH))
    return token + _checksum(token)


def id_of(token: str) -> str | None:
    """Return the id of the key that ``token`` claims to be, or None if it is not a token."""
    body, checksum = token[:-CHECKSUM_LENGTH], token[-CHECKSUM_LENGTH:]
    public_id, dot, secret = body.partition(".")
    if not dot or len(secret) != SECRET_LENGTH or not token.isascii():
        return None
    return public_id if is_id(public_id, prefix="key") and checksum == _checksum(body) else None


def hmacs(token: str) -> list[bytes]:
    """Return the HMAC-SHA256 of ``token`` under every pepper in force, the newest first."""
    return [
        hmac.digest(pepper.encode(), token.encode(), hashlib.sha256)
        for pepper in settings.API_KEY_PEPPER.split(",")
    ]


def _checksum(text: str) -> str:
    number = zlib.crc32(text.encode())
    return "".join(
        ALPHABET[number >> shift & 31] for shift in range(5 * (CHECKSUM_LENGTH - 1), -1, -5)
    )

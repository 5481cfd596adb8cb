"""Secrets that we must be able to read again are sealed: encrypted, with keys from the settings.

``settings.SEALING_KEYS`` lists the keys, the newest first: it seals, all of them open. The form is
Fernet's (AES-128-CBC with HMAC-SHA256); any text serves as a key, since it is hashed first.
"""

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SealBroken(Exception):
    """What was sealed does not open: the key is gone from SEALING_KEYS, or the bytes changed."""


def seal(secret: bytes) -> bytes:
    """Return ``secret`` sealed with the newest key."""
    return _keyring().encrypt(secret)


def unseal(sealed: bytes | memoryview) -> bytes:
    """Return what was sealed. Raises SealBroken."""
    try:
        return _keyring().decrypt(bytes(sealed))
    except InvalidToken as wrong:
        raise SealBroken("no key of SEALING_KEYS opens this") from wrong


def reseal(sealed: bytes | memoryview) -> bytes:
    """Return the same secret sealed with the newest key. Raises SealBroken."""
    return seal(unseal(sealed))


def is_newest(sealed: bytes | memoryview) -> bool:
    """Return whether the newest key opens it alone."""
    try:
        _fernet(settings.SEALING_KEYS[0]).decrypt(bytes(sealed))
    except InvalidToken:
        return False
    return True


def _keyring() -> MultiFernet:
    return MultiFernet([_fernet(key) for key in settings.SEALING_KEYS])


def _fernet(key: str) -> Fernet:
    return Fernet(base64.urlsafe_b64encode(hashlib.sha256(key.encode()).digest()))

"""One hash over several files: their names, lengths and bytes."""

import hashlib
from collections.abc import Iterable


def texts_sha256(texts: Iterable[tuple[str, bytes]]) -> str:
    """Return the SHA-256 of files in this order, in hexadecimal.

    Each counts as its name, a newline, its length in bytes in decimal, a newline, and its bytes.
    """
    digest = hashlib.sha256()
    for file, text in texts:
        digest.update(f"{file}\n{len(text)}\n".encode())
        digest.update(text)
    return digest.hexdigest()

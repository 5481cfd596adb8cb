"""Closed books and their results on disk, so that anybody can check an auction without us.

``<archive>/<auction>/book`` is the canonical book, ``<archive>/<auction>/result-<hash>`` a result.
Both appear whole or not at all, and the same content gives the same bytes: two workers that write
at once write the same thing.
"""

import os
import shutil
import tempfile
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings

from exchange.engine.book import Book
from exchange.engine.outcome import Clearing
from exchange.engine.result_writing import result_texts
from exchange.engine.writing import book_texts
from exchange.models import Auction
from exchange.queries.archive_files import BOOK_FOLDER
from exchange.queries.file_hashes import texts_sha256

HASH_SHOWN = 16


def archive_of(auction: Auction) -> Path:
    """Return the folder of one auction."""
    return Path(settings.ARCHIVE_DIR) / auction.public_id


def archive_book(auction: Auction, book: Book) -> None:
    """Write the book into the archive, unless it is there."""
    _write_once(archive_of(auction) / BOOK_FOLDER, book_texts(book))


def archive_result(auction: Auction, book: Book, clearing: Clearing) -> tuple[str, str]:
    """Write a result into the archive; return its folder below the root, and its SHA-256."""
    texts = list(result_texts(book, clearing))
    digest = texts_sha256(texts)
    folder = archive_of(auction) / f"result-{digest[:HASH_SHOWN]}"
    _write_once(folder, texts)
    return f"{auction.public_id}/{folder.name}", digest


def _write_once(folder: Path, texts: Iterable[tuple[str, bytes]]) -> None:
    """Make the folder appear with all its files at once; leave it alone if it is there."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    try:
        for file, text in texts:
            path = scratch / file
            path.parent.mkdir(parents=True, exist_ok=True)
            _write_durably(path, text)
        scratch.chmod(0o755)
        scratch.rename(folder)
    except OSError:
        if not folder.exists():  # Another worker was faster: its bytes are the same.
            raise
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _write_durably(path: Path, text: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())

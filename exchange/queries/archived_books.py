"""The archived book and result of one auction as the engine's arrays, kept for the next question.

An archive never changes, so what was read once is right as long as the process lives.
"""

from functools import lru_cache
from pathlib import Path

from exchange.engine.book import Book
from exchange.engine.files import read_book, read_result
from exchange.engine.outcome import Clearing
from exchange.models import ClearingResult
from exchange.queries.archive_files import BOOK_FOLDER, RESULT_FOLDER, folders_of

KEPT = 3  # a book of a hundred thousand orders is some tens of megabytes


def archived_clearing(result: ClearingResult) -> tuple[Book, Clearing]:
    """Return what was cleared and what came of it.

    :raises FolderRefused: if the archive is damaged
    """
    folders = folders_of(result)
    return _read(folders[BOOK_FOLDER], folders[RESULT_FOLDER], result.result_sha256)


@lru_cache(maxsize=KEPT)
def _read(book_folder: Path, result_folder: Path, sha256: str) -> tuple[Book, Clearing]:
    book = read_book(book_folder)
    return book, read_result(book, result_folder)

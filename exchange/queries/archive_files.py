"""The archived files of one auction: those of the two formats, and no others."""

from datetime import datetime
from pathlib import Path
from typing import IO

from django.conf import settings

from exchange.models import ClearingResult
from exchange.queries.publications import book_opens_at

BOOK_FOLDER = "book"
RESULT_FOLDER = "result"


def folders_of(result: ClearingResult) -> dict[str, Path]:
    """Return where the book and the result of an auction are kept."""
    root = Path(settings.ARCHIVE_DIR)
    folder = root / result.archive
    return {BOOK_FOLDER: folder.parent / BOOK_FOLDER, RESULT_FOLDER: folder}


def archived_files(result: ClearingResult) -> list[str]:
    """Return the files of an archive as ``book/bids.csv``, ``result/prices.csv``, ..."""
    return [
        f"{name}/{path.relative_to(folder).as_posix()}"
        for name, folder in folders_of(result).items()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    ]


def public_files(result: ClearingResult, *, now: datetime) -> list[str]:
    """Return the files that everybody may have: the book's only after its delay."""
    files = archived_files(result)
    if now >= book_opens_at(result.auction):
        return files
    return [file for file in files if not file.startswith(f"{BOOK_FOLDER}/")]


def open_archived(result: ClearingResult, file: str) -> IO[bytes] | None:
    """Open one file of an archive by the name that ``archived_files`` gives it."""
    if file not in archived_files(result):
        return None
    name, _, rest = file.partition("/")
    return (folders_of(result)[name] / rest).open("rb")

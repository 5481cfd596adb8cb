"""The book and the result on disk: ``compute-order-book/1`` and ``compute-clearing/1``."""

from exchange.engine.book_files import (
    book_from_csv,
    book_from_tables,
    book_sha256,
    read_book,
    write_book,
)
from exchange.engine.problems import BookRefused, FolderRefused, Problem, ResultRefused
from exchange.engine.result_reading import read_result
from exchange.engine.result_writing import write_result

__all__ = [
    "BookRefused",
    "FolderRefused",
    "Problem",
    "ResultRefused",
    "book_from_csv",
    "book_from_tables",
    "book_sha256",
    "read_book",
    "read_result",
    "write_book",
    "write_result",
]

"""Clear an order book on disk; no database is needed."""

import time
from argparse import ArgumentTypeError
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.engine.desk import Means, ResultFailed, audit_lines, clear_folder
from exchange.engine.files import BookRefused

WORKERS_MAX = 256


class Command(BaseCommand):
    """``clear_book BOOK_DIR RESULT_DIR [--seconds N] [--workers N [--memory-gib N]]``."""

    help = "Clear a compute-order-book/1 folder into a compute-clearing/1 folder."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the folders and the time limit."""
        parser.add_argument("book", type=Path, metavar="BOOK_DIR")
        parser.add_argument("result", type=Path, metavar="RESULT_DIR")
        parser.add_argument("--seconds", type=float, help="stop improving after this long")
        parser.add_argument(
            "--workers",
            type=_count,
            help="cut the book where nothing couples it, and clear the parts in so many processes",
        )
        parser.add_argument("--memory-gib", type=float, help="of each process, if several")

    def handle(self, *, book: Path, result: Path, **options: Any) -> None:
        """Clear; status 2 for a refused book, 1 for a clearing that fails its own audit."""
        means = Means(**{name: options[name] for name in ("seconds", "workers", "memory_gib")})
        try:
            audit = clear_folder(book, result, means=means, clock=time.perf_counter)
        except BookRefused as refusal:
            text = "\n".join(str(problem) for problem in refusal.problems)
            raise CommandError(text, returncode=2) from refusal
        except ResultFailed as failure:
            raise CommandError("\n".join(audit_lines(failure.audit))) from failure
        except FileExistsError as error:
            raise CommandError(str(error), returncode=2) from error
        self.stdout.write("\n".join(audit_lines(audit)))


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= WORKERS_MAX:
        raise ArgumentTypeError(f"from 1 to {WORKERS_MAX} workers")
    return int(text)

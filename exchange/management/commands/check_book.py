"""Check a clearing on disk against its book; no database is needed."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from exchange.engine.desk import audit_lines, check_folder
from exchange.engine.files import FolderRefused


class Command(BaseCommand):
    """``check_book BOOK_DIR RESULT_DIR``."""

    help = "Check every promise of a compute-clearing/1 folder, and say what it proves."
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """Name the folders."""
        parser.add_argument("book", type=Path, metavar="BOOK_DIR")
        parser.add_argument("result", type=Path, metavar="RESULT_DIR")

    def handle(self, *, book: Path, result: Path, **options: Any) -> None:
        """Check; status 0 only when everything holds, 2 if a folder is malformed."""
        try:
            audit = check_folder(book, result)
        except FolderRefused as refusal:
            text = "\n".join(str(problem) for problem in refusal.problems)
            raise CommandError(text, returncode=2) from refusal
        self.stdout.write("\n".join(audit_lines(audit)))
        if not audit.is_clean:
            raise CommandError("not every promise is kept")

"""Write the page that documents every code of an error: ``manage.py api_errors``."""

from collections.abc import Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand
from django.utils.module_loading import import_string

from exchange.services.fault_codes import FAULT_CODES

HEAD = """\
# Errors of the API

Every error is a problem document (RFC 9457, `application/problem+json`). Its `code` is stable:
programs may depend on it; `detail` is for people and may change. `errors` says what is wrong where:
`pointer` is a JSON pointer into the body (or `/name` of a query parameter), `code` one of the
second table; faults of a file also have `row` (the header is row 1) and `column`. All faults of a
body are told at once. Whatever is refused has left nothing behind.

Errors that REST framework itself gives (401, 404 of an unknown path, 405, 406, 415, 429) have the
same shape; those of keys, idempotency and malformed JSON name themselves in their `detail`.

This page is written by `manage.py api_errors > docs/api-errors.md`; a test holds it to the code.
"""


class Command(BaseCommand):
    """Print the page."""

    help = "Print docs/api-errors.md."

    def handle(self, *args: Any, **options: Any) -> None:
        """Write to standard output."""
        self.stdout.write(error_page(), ending="")


def error_page() -> str:
    """Return the page as Markdown."""
    table: Mapping[type[Exception], tuple[HTTPStatus, str]] = import_string(settings.REFUSALS)
    refusals = sorted(
        (code, str(int(status)), _first_line(kind)) for kind, (status, code) in table.items()
    )
    faults = sorted(FAULT_CODES.items())
    return "\n".join(
        [
            HEAD,
            "## Refusals\n",
            *_table(("code", "status", "what it says"), refusals),
            "\n## Faults in bodies and files of orders\n",
            *_table(("code", "what it says"), faults),
            "",
        ]
    )


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> list[str]:
    names = list(head)
    lines = [f"| {' | '.join(names)} |", f"|{' --- |' * len(names)}"]
    for code, *cells in rows:
        lines.append(f"| `{code}` | {' | '.join(cells)} |")
    return lines


def _first_line(kind: type[Exception]) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0].replace("|", "\\|")

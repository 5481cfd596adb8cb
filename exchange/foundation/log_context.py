"""What the log lines of a piece of work are about."""

from contextlib import AbstractContextManager

import structlog


def about(**ids: str) -> AbstractContextManager[None]:
    """Name ``ids``, such as an auction's, in every line that is logged inside the block."""
    return structlog.contextvars.bound_contextvars(**ids)


def also_about(**ids: str) -> None:
    """Name ``ids`` in every line from here on until the request or task ends."""
    structlog.contextvars.bind_contextvars(**ids)

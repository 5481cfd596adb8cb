"""When work has to end: a moment of the monotonic clock, or None where only the work counts."""

import time
from typing import Final

_LEAST: Final = 0.1  # A search is given at least this, to find what is easy to find.


def deadline_in(seconds: float | None) -> float | None:
    """Return the moment that is so many seconds away."""
    return None if seconds is None else time.monotonic() + seconds


def seconds_left(deadline: float | None) -> float | None:
    """Return what is left until then, at least a moment; None where there is no end."""
    return None if deadline is None else max(_LEAST, deadline - time.monotonic())


def is_late(deadline: float | None) -> bool:
    """Return whether the moment has passed."""
    return deadline is not None and time.monotonic() >= deadline

"""Work that makes many small objects and no cycles, spared the search for cycles."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_collecting() -> Iterator[None]:
    """Look for no cycles meanwhile: each look walks over all that the process holds.

    What has no cycles is freed as ever. Of two threads that ask for it, the first to end brings
    the collector back.
    """
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()

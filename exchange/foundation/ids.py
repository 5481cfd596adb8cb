"""Public ids: a prefix that says what it is, then 26 opaque characters that sort by time."""

import re
import secrets
import threading
import time

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"  # Crockford's base 32, lower case
LENGTH = 26
LENGTH_MAX = 32  # with any prefix
_PAIRS = [first + second for first in ALPHABET for second in ALPHABET]  # two letters at a time
_TAIL_BITS = 5 * LENGTH - 48
_STEP_BITS = 32
_made = threading.Lock()
_last = 0
_PREFIX = re.compile(r"[a-z]{2,5}")
_SHAPE = re.compile(rf"[a-z]{{2,5}}_[{ALPHABET}]{{{LENGTH}}}")


def new_id(prefix: str) -> str:
    """Return a fresh id such as ``bid_01jd...``: 48 bits of milliseconds, then 82 random bits.

    Ids made one after another in one process sort in that order, also within a millisecond: a
    random step is added to the last one, so that the next is not to be guessed.
    """
    global _last  # noqa: PLW0603 - the one number that all threads of a process share
    assert _PREFIX.fullmatch(prefix), prefix
    with _made:
        now = time.time_ns() // 1_000_000
        if now > _last >> _TAIL_BITS:
            _last = now << _TAIL_BITS | secrets.randbits(_TAIL_BITS)
        else:
            _last += 1 + secrets.randbits(_STEP_BITS)
        number = _last
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(5 * (LENGTH - 2), -1, -10)]
    return f"{prefix}_{''.join(pairs)}"


def is_id(text: str, *, prefix: str) -> bool:
    """Return whether ``text`` has the shape of an id with this prefix."""
    return text.startswith(f"{prefix}_") and bool(_SHAPE.fullmatch(text))

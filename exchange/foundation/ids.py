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
_SHAPE = re.compile(rf"[a-z]{{2,5}}_[{ALPHABET}]{{{LENGTH}}}")


def new_id(prefix: str) -> str:
    """Return a fresh id such as ``bid_01jd...``: 48 bits of milliseconds, then 82 random bits."""
    assert re.fullmatch(r"[a-z]{2,5}", prefix), prefix
    number = time.time_ns() // 1_000_000 << 82 | secrets.randbits(82)
    pairs = [_PAIRS[number >> shift & 1023] for shift in range(5 * (LENGTH - 2), -1, -10)]
    return f"{prefix}_{''.join(pairs)}"


def is_id(text: str, *, prefix: str) -> bool:
    """Return whether ``text`` has the shape of an id with this prefix."""
    return text.startswith(f"{prefix}_") and bool(_SHAPE.fullmatch(text))

"""The one canonical line of a transfer, and the hashes that chain the batches.

An auditor needs only these few rules. A transfer's line is its columns separated by tabs: ids as
32 hex digits, \\N for what is not set, the event's time as 2026-01-31T12:00:00.000000Z. A batch's
content is the SHA-256 of its lines, in order of id, joined by newlines. Its link is the SHA-256
of three lines: the previous link in hex (empty for the first batch), the content in hex, and the
batch's key, count, amount and time separated by tabs.
"""

import hashlib
from collections.abc import Sequence

_TIME = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
LINE = rf"""concat_ws(E'\t', replace(id::text, '-', ''), debit_id, credit_id, amount_micros, code,
    coalesce(hold_id::text, '\N'), coalesce(period_id::text, '\N'), coalesce(run_no::text, '\N'),
    coalesce(replace(reverses_id::text, '-', ''), '\N'),
    to_char(event_at AT TIME ZONE 'UTC', '{_TIME}'))"""


def content_sha256(lines: Sequence[str]) -> bytes:
    """Return the hash of a batch's lines, given in order of id."""
    return hashlib.sha256("\n".join(lines).encode()).digest()


def chain_sha256(previous: bytes | None, content: bytes, facts: str) -> bytes:
    """Return the link of a batch: what it holds, after what came before."""
    start = bytes(previous).hex() if previous else ""
    return hashlib.sha256(f"{start}\n{content.hex()}\n{facts}".encode()).digest()

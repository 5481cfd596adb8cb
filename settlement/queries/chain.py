"""The one canonical line of a transfer, and the hashes that chain the batches.

An auditor needs only these few rules. A transfer's line is its columns separated by tabs: ids as
32 hex digits, \\N for what is not set, the event's time as 2026-01-31T12:00:00.000000Z. Its leaf is
the SHA-256 of its line. A batch's content is the SHA-256 of its leaves in hex, in order of id,
joined by newlines; its facts are its key, count, amount and time separated by tabs. Its link is the
SHA-256 of three lines: the previous link (empty for the first batch), the content, and the SHA-256
of the facts, all in hex. So whoever has a transfer's line can prove that it is in the chain by
leaves and links, and tells nothing of anybody else's transfers.
"""

import hashlib
from collections.abc import Sequence

_TIME = 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'
LINE = rf"""concat_ws(E'\t', replace(id::text, '-', ''), debit_id, credit_id, amount_micros, code,
    coalesce(hold_id::text, '\N'), coalesce(period_id::text, '\N'), coalesce(run_no::text, '\N'),
    coalesce(replace(reverses_id::text, '-', ''), '\N'),
    to_char(event_at AT TIME ZONE 'UTC', '{_TIME}'))"""
LEAF = f"encode(sha256(convert_to({LINE}, 'UTF8')), 'hex')"
FACTS = f"""concat(key, E'\\t', transfers_count, E'\\t', amount_micros, E'\\t',
    to_char(posted_at AT TIME ZONE 'UTC', '{_TIME}'))"""


def leaf_hex(line: str) -> str:
    """Return the hash of a transfer's line, in hex."""
    return hashlib.sha256(line.encode()).hexdigest()


def content_sha256(lines: Sequence[str]) -> bytes:
    """Return the hash of a batch's lines, given in order of id."""
    return content_of_leaves([leaf_hex(line) for line in lines])


def content_of_leaves(leaves: Sequence[str]) -> bytes:
    """Return the hash of a batch whose transfers have these leaves, in order of id."""
    return hashlib.sha256("\n".join(leaves).encode()).digest()


def chain_sha256(previous: bytes | None, content: bytes, facts: str) -> bytes:
    """Return the link of a batch: what it holds, after what came before."""
    start = bytes(previous).hex() if previous else ""
    return link_of(start, content.hex(), hashlib.sha256(facts.encode()).hexdigest())


def link_of(previous: str, content: str, facts: str) -> bytes:
    """Return a link, given the hashes that it covers in hex."""
    return hashlib.sha256(f"{previous}\n{content}\n{facts}".encode()).digest()

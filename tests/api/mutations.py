"""Valid bodies and files, spoilt in the ways in which senders spoil them."""

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**40), 10**40),
    st.floats(),  # also NaN and infinities, as Python spells them
    st.text(max_size=12),
    st.sampled_from(
        ["", " ", "\0", "\ud800", "1e9", "١٢", "-0", "0x1F", "9" * 200, "NaN", "2026-11-24", "null"]
    ),
    st.sampled_from(["h100", "beijing", "block", "volume", "standing", "0.001", "1000000"]),
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)
ENCODINGS = ["utf-8", "utf-16", "utf-32", "latin-1", "utf-7", "utf-8-sig"]


@st.composite
def spoilt_bodies(draw: st.DrawFn, body: Mapping[str, Any]) -> bytes:
    """Draw the bytes of ``body`` after up to three mutations, sometimes of the text itself."""
    members = [(name, value) for name, value in body.items()]
    for _ in range(draw(st.integers(1, 3))):
        members = draw(_spoilt_members(members))
    text = "{" + ", ".join(f"{json.dumps(n)}: {json.dumps(v)}" for n, v in members) + "}"
    return draw(_spoilt_text(text))


@st.composite
def _spoilt_members(draw: st.DrawFn, members: list[tuple[str, Any]]) -> list[tuple[str, Any]]:
    place = draw(st.integers(0, max(0, len(members) - 1)))
    way = draw(st.sampled_from(["drop", "repeat", "replace", "rename", "nest", "list", "add"]))
    if way == "add" or not members:
        return [*members, (draw(st.text(max_size=8)), draw(VALUES))]
    name, value = members[place]
    instead: list[tuple[str, Any]] = {
        "drop": [],
        "repeat": [(name, value), (name, draw(VALUES))],
        "replace": [(name, draw(VALUES))],
        "rename": [(name.upper(), value)],
        "nest": [(name, _nested(value, draw(st.sampled_from([1, 31, 33, 200]))))],
        "list": [(name, [value] * draw(st.sampled_from([0, 1, 2, 70])))],
    }[way]
    return [*members[:place], *instead, *members[place + 1 :]]


def _nested(value: Any, depth: int) -> Any:
    for _ in range(depth):
        value = [value]
    return value


@st.composite
def _spoilt_text(draw: st.DrawFn, text: str) -> bytes:
    if draw(st.integers(0, 3)):
        return text.encode("utf-8", "surrogatepass")
    return draw(spoilt_bytes(text))


@st.composite
def spoilt_bytes(draw: st.DrawFn, text: str) -> bytes:
    """Draw ``text`` in some encoding, cut short, with bytes changed or put in between."""
    raw = text.encode(draw(st.sampled_from(ENCODINGS)), "replace")
    place = draw(st.integers(0, len(raw)))
    return draw(
        st.sampled_from(
            [
                raw[:place],
                raw[:place] + draw(st.binary(min_size=1, max_size=4)) + raw[place:],
                raw[:place] + draw(st.binary(min_size=1, max_size=2)) + raw[place + 2 :],
                raw + raw,
                raw[place:] + raw[:place],
            ]
        )
    )


@st.composite
def spoilt_files(draw: st.DrawFn, rows: list[list[str]]) -> bytes:
    """Draw the bytes of a CSV file after mutations of its cells, rows, columns or text."""
    table = [list(row) for row in rows]
    for _ in range(draw(st.integers(1, 3))):
        line = draw(st.integers(0, len(table) - 1))
        cell = draw(st.integers(0, max(0, len(table[line]) - 1)))
        way = draw(st.sampled_from(["drop", "add", "replace", "repeat", "swap", "empty"]))
        if way == "repeat":
            table.insert(line, list(table[line]))
        elif way == "empty":
            table[line] = []
        elif way == "add" or not table[line]:
            table[line].insert(cell, draw(_cells))
        elif way == "drop":
            del table[line][cell]
        elif way == "replace":
            table[line][cell] = draw(_cells)
        else:
            table[line].reverse()
    end = draw(st.sampled_from(["\n", "\r\n", "\r", ";"]))
    text = end.join(",".join(row) for row in table)
    if draw(st.integers(0, 2)):
        return text.encode("utf-8", "surrogatepass")
    return draw(spoilt_bytes(text))


_cells = st.one_of(
    st.text(max_size=8),
    st.sampled_from(
        ['"', '"open', '"a"b', "\0", "=cmd()", "-1", "1e5", "9" * 300, "NaN", "", "bj-1", "h100"]
    ),
)

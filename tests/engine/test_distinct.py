"""Numbering of equal rows and lists, and the finding of names, against the plain way to do it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from exchange.engine import names as names_module
from exchange.engine.distinct import distinct_rows, number_lists
from exchange.engine.names import find_names

VALUES = st.sampled_from((0, 1, -1, 2**40, -(2**40), 5))
ROWS = st.lists(st.tuples(VALUES, VALUES, VALUES), max_size=12)
NAMES = st.lists(
    st.text("ab é", min_size=1, max_size=3).map(lambda text: (text * 7).encode()), max_size=9
)


@given(rows=ROWS)
def test_distinct_rows_are_numbered_in_the_order_of_their_contents(
    rows: list[tuple[int, int, int]],
) -> None:
    keys = tuple(np.array([row[place] for row in rows], dtype=np.int64) for place in range(3))
    columns, code = distinct_rows(keys)
    expected = sorted(set(rows))
    assert list(zip(*(column.tolist() for column in columns), strict=True)) == expected
    assert code.tolist() == [expected.index(row) for row in rows]


@given(lists=st.lists(st.lists(st.tuples(VALUES, st.integers(0, 2)), max_size=3), max_size=9))
def test_lists_have_equal_numbers_exactly_where_all_their_values_are_equal(
    lists: list[list[tuple[int, int]]],
) -> None:
    start = np.cumsum([0, *(len(each) for each in lists)])
    flat = np.array([pair for each in lists for pair in each], dtype=np.int64).reshape(-1, 2)
    code = number_lists(start, flat[:, 0], flat[:, 1]).tolist()
    for row, each in enumerate(lists):
        for other, more in enumerate(lists):
            assert (code[row] == code[other]) == (each == more)


def _column(names: list[bytes]) -> np.ndarray:
    return np.array(names or [b""], dtype=np.bytes_)[: len(names)]


@given(wanted=NAMES, among=NAMES)
def test_a_name_is_found_in_the_first_row_that_has_it(
    wanted: list[bytes], among: list[bytes]
) -> None:
    found = find_names(_column(wanted), _column(among)).tolist()
    assert found == [among.index(name) if name in among else -1 for name in wanted]


def test_names_whose_numbers_collide_are_still_told_apart() -> None:
    mixer, shift = int(names_module._MIXER), int(names_module._SHIFT)

    def number(first: int, second: int) -> int:
        return ((first ^ (first >> shift)) * mixer + second) % 2**64

    one, other = (int.from_bytes(text, "little") for text in (b"aaaaaaaa", b"bbbbbbbb"))
    second = int.from_bytes(b"cccccccc", "little")
    clash = (number(one, second) - number(other, 0)) % 2**64
    names = [b"aaaaaaaacccccccc", b"bbbbbbbb" + clash.to_bytes(8, "little")]
    assert find_names(_column(names[::-1]), _column(names)).tolist() == [1, 0]
    assert find_names(_column(names[1:]), _column(names[:1])).tolist() == [-1]

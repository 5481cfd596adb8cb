"""Reads the Prometheus text format, as exporters write it."""

import math
import re
from collections.abc import Iterator
from typing import NamedTuple

_SAMPLE = re.compile(r"([a-zA-Z_:][a-zA-Z0-9_:]*)\s*(?:\{(.*)\})?\s+(\S+)(?:\s+-?\d+)?\s*")
_LABEL = re.compile(r'\s*([a-zA-Z_][a-zA-Z0-9_]*)\s*=\s*"((?:[^"\\]|\\.)*)"\s*,?')
_ESCAPED = re.compile(r"\\(.)")
_MEANT = {"n": "\n"}


class Sample(NamedTuple):
    """One value of one series."""

    name: str
    labels: dict[str, str]
    value: float


def samples_in(text: str) -> Iterator[Sample]:
    """Yield the finite samples of an exporter's page; a line that is not one is passed over."""
    for line in text.splitlines():
        found = None if line.startswith("#") else _SAMPLE.fullmatch(line)
        if found:
            name, labels, told = found.groups()
            value = _number(told)
            if math.isfinite(value):
                yield Sample(name, _labels_in(labels or ""), value)


def _labels_in(text: str) -> dict[str, str]:
    return {
        name: _ESCAPED.sub(lambda each: _MEANT.get(each[1], each[1]), value)
        for name, value in _LABEL.findall(text)
    }


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan

"""Half-open stretches of time, and the periods that an auction delivers in."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """From ``start`` until just before ``end``; both know their time zone."""

    start: datetime
    end: datetime

    def __post_init__(self) -> None:
        assert self.start.tzinfo is not None, "a period without a time zone means nothing"
        assert self.start < self.end, f"an empty period: {self.start} to {self.end}"

    def overlaps(self, other: "Period") -> bool:
        """Return whether the two share a moment."""
        return self.start < other.end and other.start < self.end

    @property
    def minutes(self) -> int:
        """The length in whole minutes."""
        whole, rest = divmod(self.end - self.start, timedelta(minutes=1))
        assert not rest, "periods are whole minutes long"
        return whole


def split(start: datetime, *, minutes: int, count: int) -> Iterator[Period]:
    """Yield ``count`` periods of ``minutes`` one after another, by elapsed time (not wall time)."""
    step = timedelta(minutes=minutes)
    for number in range(count):
        yield Period(start + number * step, start + (number + 1) * step)

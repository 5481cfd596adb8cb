"""What the market watch finds: a subject, its figures, and the hours that they are of."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

SPAN_DAYS_MAX = 31  # the longest span that any board of the watch looks at
ROWS_MAX = 500  # of a board, the worst first


@dataclass(frozen=True, slots=True)
class Span:
    """The hours of delivery that are looked at, half-open."""

    since: datetime
    until: datetime

    def __post_init__(self) -> None:
        assert self.since < self.until <= self.since + timedelta(days=SPAN_DAYS_MAX), self

    def params(self) -> dict[str, Any]:
        """Return the edges as parameters of a query."""
        return {"since": self.since, "until": self.until}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """What a finding is of. Codes and public ids; what does not matter is empty.

    Without a region it is all of them; the same for the accelerator. ``seller`` stands for all
    organizations of its group.
    """

    kind: str
    span: Span
    region: str = ""
    accelerator: str = ""
    site: str = ""
    seller: str = ""
    buyer: str = ""
    at: datetime | None = None

    def said(self) -> dict[str, str]:
        """Return all but kind and span as text, by name; the moment in ISO 8601."""
        return {
            "region": self.region,
            "accelerator": self.accelerator,
            "site": self.site,
            "seller": self.seller,
            "buyer": self.buyer,
            "at": instant(self.at) if self.at else "",
        }


@dataclass(frozen=True, slots=True)
class Part:
    """A seller's part of a finding: the public ids and names of its group, and figures."""

    ids: tuple[str, ...]
    names: tuple[str, ...]
    figures: Mapping[str, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """A finding. Figures by their names, the unit last; ``hours`` is empty for all of the span.

    ``flagged``: beyond the threshold that the rule names. ``names`` says who the subject's
    organizations are, by public id; ``why`` says why two are related.
    """

    subject: Subject
    figures: Mapping[str, int | None]
    flagged: bool
    names: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[Part, ...] = ()
    hours: tuple[datetime, ...] = ()
    why: tuple[str, ...] = ()


def instant(at: datetime) -> str:
    """Return an instant in UTC as files and addresses say it."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")

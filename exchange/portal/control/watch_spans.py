"""Addresses of the market watch: which span a page looks at, and which finding."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from typing import Final, NamedTuple

from django.http import Http404, HttpRequest
from django.utils.http import urlencode
from django.utils.translation import gettext_lazy as _

from accounts.web.zones import market_zone_info
from exchange.foundation.market_time import market_now
from exchange.models import FindingKind
from exchange.queries.publications import published_auctions
from exchange.queries.watch.findings import SPAN_DAYS_MAX, Span, Subject, instant

DAYS: Final = {1: _("1 day"), 7: _("7 days"), 30: _("30 days")}
USUAL_DAYS: Final = 7
_DAY: Final = timedelta(days=1)
_TEXT_MAX: Final = 64


class Look(NamedTuple):
    """A span as a form asks for it: so many days, the last of them by the market's calendar."""

    days: int
    last_day: date
    span: Span


def look_of(request: HttpRequest) -> Look:
    """Return the span that is asked for; what is none is the usual: the last days delivered."""
    asked = request.GET.get("days", "")
    days = int(asked) if asked in {str(number) for number in DAYS} else USUAL_DAYS
    last = _day(request.GET.get("last", "")) or _last_day()
    return Look(days, last, Span(_midnight(last - (days - 1) * _DAY), _midnight(last + _DAY)))


def address_of(subject: Subject) -> str:
    """Return the query of a finding's page."""
    said = {
        "kind": str(subject.kind),
        "since": instant(subject.span.since),
        "until": instant(subject.span.until),
        **subject.said(),
    }
    return "?" + urlencode({name: word for name, word in said.items() if word})


def subject_of(asked: Mapping[str, str]) -> Subject:
    """Return the subject that an address names. Raises Http404 for what names none."""
    kind, since, until = asked.get("kind", ""), _instant(asked, "since"), _instant(asked, "until")
    if kind not in FindingKind.values or since is None or until is None:
        raise Http404
    if not since < until <= since + timedelta(days=SPAN_DAYS_MAX):
        raise Http404
    words = {
        name: asked.get(name, "")[:_TEXT_MAX]
        for name in ("region", "accelerator", "site", "seller", "buyer")
    }
    return Subject(kind=kind, span=Span(since, until), at=_instant(asked, "at"), **words)


def _instant(asked: Mapping[str, str], name: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(asked.get(name, ""))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if date(2000, 1, 1) < found < date(2200, 1, 1) else None


def _last_day() -> date:
    """Return the last day of delivery that was sold, or today."""
    latest = published_auctions().order_by("-ends_at").first()
    until = latest.ends_at - timedelta(microseconds=1) if latest else market_now()
    return until.astimezone(market_zone_info()).date()


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), tzinfo=market_zone_info())

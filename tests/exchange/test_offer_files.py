"""A file of offers is counted as if its rows were listed one after another, and quickly."""

import csv
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from exchange.models import Offer
from exchange.queries.capacity import FreeLots, Holdings, Stretch
from exchange.queries.offer_files import offer_lines
from exchange.services.csv_rows import ROWS_MAX
from exchange.services.offer_imports import import_offers
from exchange.services.offers import create_offer, withdraw_offer
from tests.exchange.markets import HOUR, Market, market, offer_body
from tests.factories import caller

START = datetime(2026, 11, 24, tzinfo=UTC)
HOURS = 8
SECONDS_MAX = 30.0  # of a crowded machine; one row at a time would take hours


def stretches(lots: int) -> Any:
    """Draw stretches of whole hours."""
    span = st.tuples(st.integers(0, HOURS - 1), st.integers(1, HOURS), st.integers(1, lots))
    return st.lists(
        span.map(lambda s: Stretch(START + s[0] * HOUR, START + (s[0] + s[1]) * HOUR, s[2])),
        max_size=4,
    )


@given(
    standing=stretches(20),
    down=stretches(5),
    whole=stretches(1),
    sold=st.dictionaries(st.integers(0, 3), stretches(4)),
    promised=st.dictionaries(st.integers(0, 3), stretches(6)),
)
def test_every_hour_counts_what_an_obvious_sum_counts(
    standing: Any, down: Any, whole: Any, **offers: Any
) -> None:
    holdings = Holdings(standing=standing, down=down, down_whole=whole, **offers)
    segments = holdings.segments(START, START + HOURS * HOUR)
    assert segments[0].starts_at == START
    assert segments[-1].ends_at == START + HOURS * HOUR
    for hour in range(HOURS):
        at = START + hour * HOUR
        (segment,) = [s for s in segments if s.starts_at <= at < s.ends_at]
        assert (segment.standing, segment.contracted) == (
            amount(standing, at),
            sum(amount(one, at) for one in offers["sold"].values()),
        )
        assert segment.down == (
            segment.standing if amount(whole, at) else min(segment.standing, amount(down, at))
        )
        assert segment.promised == sum(
            max(0, most(said, at) - amount(offers["sold"].get(offer, []), at))
            for offer, said in offers["promised"].items()
        )


def amount(found: list[Stretch], at: datetime) -> int:
    """Return the sum at a moment."""
    return sum(s.lots for s in found if s.starts_at <= at < s.ends_at)


def most(found: list[Stretch], at: datetime) -> int:
    """Return the greatest at a moment."""
    return max((s.lots for s in found if s.starts_at <= at < s.ends_at), default=0)


@given(takes=st.lists(st.tuples(st.integers(0, 6), st.integers(1, 2), st.integers(1, 9))))
def test_taking_one_after_another_never_takes_more_than_there_is(takes: Any) -> None:
    spans = [(START + a * HOUR, START + (a + b) * HOUR) for a, b, _ in takes] or [
        (START, START + HOUR)
    ]
    standing = [Stretch(START, START + HOURS * HOUR, 10)]
    free, left = FreeLots(Holdings(standing=standing), spans), [10] * HOURS
    for (first, length, lots), span in zip(takes, spans, strict=False):
        hours = range(first, first + length)
        short = free.take(*span, lots)
        assert (short is None) == (lots <= min(left[hour] for hour in hours))
        for hour in hours if short is None else ():
            left[hour] -= lots


@pytest.fixture
def scene() -> Market:
    return market()


@pytest.mark.django_db
def test_what_was_exported_is_imported_as_it_is(scene: Market) -> None:
    who = caller(scene.provider)
    labels = ["night", "=1+1", "'=quoted", "-5 %", "'", "with, comma", ""]
    for place, label in enumerate(labels):
        body = offer_body(scene.auction, quantity="0.125", price=f"{place}.010", label=label)
        create_offer(body, caller=who)
    exported = "".join(offer_lines(Offer.objects.with_terms().order_by("pk")))
    before = terms_and_labels()
    for offer in Offer.objects.all():
        withdraw_offer(offer.public_id, caller=who)

    imported = import_offers(exported.encode(), caller=who)

    assert terms_and_labels(state="active") == before
    assert [label for *_, label in before] == labels
    assert len(imported) == len(labels)
    assert not {offer.public_id for offer in imported} & {row[0] for row in parse(exported)}


def terms_and_labels(**which: str) -> list[tuple[Any, ...]]:
    """Return what every offer says, in the order that they were listed in."""
    rows = Offer.objects.with_terms().filter(**which).order_by("pk")
    terms = ("starts_at", "ends_at", "quantity_lots", "price_ticks")
    return list(rows.values_list("site", "accelerator", *(f"terms__{n}" for n in terms), "label"))


def parse(text: str) -> list[list[str]]:
    """Return the offers' ids and fates in a file."""
    return [row[-3:] for row in csv.reader(text.splitlines())]


@pytest.mark.django_db
def test_the_longest_file_is_imported_in_seconds(scene: Market) -> None:
    start, began = scene.auction.starts_at, time.perf_counter()
    lines = ["site,accelerator,starts_at,ends_at,quantity,price"]
    for number in range(ROWS_MAX):
        first = start + (number % 2_000) * HOUR
        end = first + timedelta(hours=1 + number // 100)
        price = f"{number // 1_000}.{number % 1_000:03d}"
        lines.append(f"bj-1,h100,{first.isoformat()},{end.isoformat()},0.020,{price}")
    imported = import_offers("\n".join(lines).encode(), caller=caller(scene.provider))
    assert len(imported) == Offer.objects.count() == ROWS_MAX
    assert time.perf_counter() - began < SECONDS_MAX

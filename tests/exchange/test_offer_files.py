"""A file of offers is counted as if its rows were listed one after another, and quickly."""

import csv
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Caller
from exchange.models import Offer, OfferVersion
from exchange.queries.capacity import FreeLots, Holdings, Stretch
from exchange.queries.offer_files import offer_lines
from exchange.services.csv_rows import ROWS_MAX, FileRefused
from exchange.services.offer_imports import import_offers
from exchange.services.offers import create_offer, edit_offer, withdraw_offer
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

    imported = import_offers(exported.encode(), caller=who).listed

    assert terms_and_labels(state="active") == before
    assert [label for *_, label in before] == labels
    assert len(imported) == len(labels)
    assert not {offer.public_id for offer in imported} & {row[0] for row in parse(exported)}


def a_file(scene: Market, who: Caller, *prices: str) -> str:
    """Return the export of offers at these prices, of ten accelerators each."""
    for price in prices:
        create_offer(offer_body(scene.auction, price=price, label=f"at {price}"), caller=who)
    return "".join(offer_lines(Offer.objects.with_terms().order_by("pk")))


@pytest.mark.django_db
def test_an_exported_file_comes_back_and_changes_nothing(scene: Market) -> None:
    who = caller(scene.provider)
    exported = a_file(scene, who, "1.000", "2.000", "3.000")
    withdraw_offer(Offer.objects.earliest("pk").public_id, caller=who)
    exported = "".join(offer_lines(Offer.objects.with_terms().order_by("pk")))
    done = import_offers(exported.encode(), caller=who)
    assert (done.listed, done.changed, done.unchanged) == ([], [], 3)
    assert (Offer.objects.count(), OfferVersion.objects.count()) == (3, 3)


@pytest.mark.django_db
def test_a_mended_row_edits_the_offer_that_it_names_and_a_new_one_is_listed(scene: Market) -> None:
    who = caller(scene.provider)
    exported = a_file(scene, who, "1.000", "2.000")
    fresh = exported.splitlines()[2].rsplit(",", 3)[0] + ",,,"
    mended = exported.replace("1.000,at 1.000", "1.500,dearer") + fresh.replace("2.000", "7.000")
    done = import_offers(mended.encode(), caller=who)
    assert (len(done.listed), len(done.changed), done.unchanged) == (1, 1, 1)
    assert [(row[5], row[6]) for row in terms_and_labels()] == [
        (1_500, "dearer"),
        (2_000, "at 2.000"),
        (7_000, "at 7.000"),
    ]


@pytest.mark.django_db
def test_what_one_row_sets_free_another_may_take(scene: Market) -> None:
    who = caller(scene.provider)
    for quantity, label in (("40", "grows"), ("60", "shrinks")):
        create_offer(offer_body(scene.auction, quantity=quantity, label=label), caller=who)
    exported = "".join(offer_lines(Offer.objects.with_terms().order_by("pk")))
    swapped = exported.replace("40.000", "?").replace("60.000", "40.000").replace("?", "60.000")
    assert len(import_offers(swapped.encode(), caller=who).changed) == 2
    assert [row[4] for row in terms_and_labels()] == [60_000, 40_000]


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("place", "wrong", "fault"),
    [
        (0, "bj-9", ("site", "offer_place_fixed")),
        (1, "ascend", ("accelerator", "offer_place_fixed")),
        (4, "101", ("quantity", "capacity_exceeded")),
        (5, "x", ("price", "price_malformed")),
        (7, "off_nobodys", ("offer", "offer_unknown")),
        (9, "withdrawn", ("state", "state_not_taken")),
    ],
)
def test_a_row_that_cannot_be_its_offers_keeps_the_whole_file_out(
    scene: Market, place: int, wrong: str, fault: tuple[str, str]
) -> None:
    who = caller(scene.provider)
    lines = a_file(scene, who, "1.000", "2.000").replace("2.000,at", "2.500,at").splitlines()
    cells = lines[1].split(",")
    cells[place] = wrong
    lines[1] = ",".join(cells)
    with pytest.raises(FileRefused) as refused:
        import_offers("\n".join(lines).encode(), caller=who)
    assert [(f.row, f.column, f.code) for f in refused.value.faults] == [(2, *fault)]
    assert OfferVersion.objects.count() == 2


@pytest.mark.django_db
def test_a_file_does_not_undo_an_edit_made_since(scene: Market) -> None:
    who = caller(scene.provider)
    exported = a_file(scene, who, "1.000")
    edit_offer(Offer.objects.get().public_id, {"price": "9"}, version=1, caller=who)
    with pytest.raises(FileRefused) as refused:
        import_offers(exported.encode(), caller=who)
    assert [f.code for f in refused.value.faults] == ["version_stale"]
    twice = f"{exported}{exported.splitlines()[1]}\n"
    with pytest.raises(FileRefused) as refused:
        import_offers(twice.encode(), caller=who)
    assert {f.code for f in refused.value.faults} == {"version_stale", "row_repeated"}


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
    imported = import_offers("\n".join(lines).encode(), caller=caller(scene.provider)).listed
    assert len(imported) == Offer.objects.count() == ROWS_MAX
    assert time.perf_counter() - began < SECONDS_MAX

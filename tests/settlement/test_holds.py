"""Money frozen for bids: never more than there is, and every release with its reason."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from settlement.models import Hold, HoldRelease
from settlement.services.holds import (
    HoldDiffers,
    HoldRequest,
    HoldTooSmall,
    InsufficientFunds,
    UnknownHold,
    place_hold,
    place_holds,
    release_holds,
    resize_holds,
)
from tests.settlement.books import an_organization, money_of, put_in

pytestmark = pytest.mark.django_db


def test_it_freezes_money_in_one_statement() -> None:
    buyer = an_organization()
    put_in(buyer, 100)
    with CaptureQueriesContext(connection) as asked:
        place_hold(HoldRequest("bid_1", buyer.pk, 60))
    assert len(asked) == 1
    assert money_of(buyer).available_micros == 40


def test_it_freezes_the_last_micro_unit_and_no_more() -> None:
    buyer = an_organization()
    put_in(buyer, 100)
    place_hold(HoldRequest("bid_1", buyer.pk, 100))
    with pytest.raises(InsufficientFunds):
        place_hold(HoldRequest("bid_2", buyer.pk, 1))
    assert not Hold.objects.filter(key="bid_2").exists()


def test_a_buyer_without_money_has_no_cover() -> None:
    with pytest.raises(InsufficientFunds):
        place_hold(HoldRequest("bid_1", an_organization().pk, 1))


def test_the_same_hold_again_changes_nothing() -> None:
    buyer = an_organization()
    put_in(buyer, 100)
    for _ in range(2):
        place_hold(HoldRequest("bid_1", buyer.pk, 60))
    assert money_of(buyer).debits_pending == 60


def test_it_refuses_a_used_key_for_another_amount() -> None:
    buyer = an_organization()
    put_in(buyer, 100)
    place_hold(HoldRequest("bid_1", buyer.pk, 60))
    with pytest.raises(HoldDiffers):
        place_hold(HoldRequest("bid_1", buyer.pk, 61))


def test_in_bulk_it_covers_in_order_what_fits() -> None:
    buyer, other = an_organization(), an_organization("Other")
    put_in(buyer, 100)
    put_in(other, 10)
    requests = [
        HoldRequest("a", buyer.pk, 70),
        HoldRequest("b", buyer.pk, 40),
        HoldRequest("c", other.pk, 11),
        HoldRequest("d", buyer.pk, 30),
        HoldRequest("e", other.pk, 10),
        HoldRequest("f", buyer.pk, 1),
    ]
    assert place_holds(requests) == [True, False, False, True, True, False]
    assert money_of(buyer).available_micros == 0
    assert money_of(other).available_micros == 0
    assert set(Hold.objects.values_list("key", flat=True)) == {"a", "d", "e"}


def test_in_bulk_it_refuses_a_used_key_and_places_nothing() -> None:
    buyer = an_organization()
    put_in(buyer, 100)
    place_hold(HoldRequest("a", buyer.pk, 10))
    with pytest.raises(HoldDiffers):
        place_holds([HoldRequest("b", buyer.pk, 10), HoldRequest("a", buyer.pk, 10)])
    assert money_of(buyer).debits_pending == 10


def test_in_bulk_an_organization_without_money_is_not_covered() -> None:
    assert place_holds([HoldRequest("a", an_organization().pk, 1)]) == [False]


def test_it_shrinks_holds_and_says_why() -> None:
    buyer = an_organization()
    put_in(buyer, 100)
    place_holds([HoldRequest("a", buyer.pk, 50), HoldRequest("b", buyer.pk, 40)])
    for _ in range(2):
        resize_holds({"a": 20, "b": 40}, "published")
    assert money_of(buyer).debits_pending == 60
    release = HoldRelease.objects.get()
    assert (release.hold.key, release.amount_micros, release.reason) == ("a", 30, "published")


def test_it_releases_all_that_is_open() -> None:
    buyer = an_organization()
    put_in(buyer, 100)
    place_hold(HoldRequest("a", buyer.pk, 50))
    release_holds(["a"], "cancelled")
    release_holds(["a"], "cancelled")
    assert money_of(buyer).available_micros == 100
    assert HoldRelease.objects.count() == 1


def test_it_refuses_to_keep_more_frozen_than_is_open_and_changes_nothing() -> None:
    buyer = an_organization()
    put_in(buyer, 100)
    place_holds([HoldRequest("a", buyer.pk, 50), HoldRequest("b", buyer.pk, 40)])
    with pytest.raises(HoldTooSmall):
        resize_holds({"a": 10, "b": 41}, "published")
    assert money_of(buyer).debits_pending == 90


def test_it_refuses_to_release_an_unknown_hold() -> None:
    with pytest.raises(UnknownHold):
        release_holds(["nobody's"], "cancelled")

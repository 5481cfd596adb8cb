"""A provider changes many offers at once, all or none, and is told which stand in the way."""

import pytest

from exchange.models import MarketFreeze, Offer, OfferVersion
from exchange.services.offers import withdraw_offer
from tests.factories import OrganizationFactory, portal
from tests.portal.desks import Desk, desk, hour_ahead, offer_of

pytestmark = pytest.mark.django_db
ADDRESS = "/offers/bulk/"


@pytest.fixture
def at() -> Desk:
    return desk()


def three(at: Desk) -> list[Offer]:
    """Return offers of 10, 20 and 30 accelerators at 2.500."""
    return [offer_of(at.caller, quantity=str(each), label=f"of {each}") for each in (10, 20, 30)]


def chosen(offers: list[Offer], **change: str) -> dict[str, object]:
    return {"offer": [offer.public_id for offer in offers], **change}


def terms_now() -> list[tuple[int, int]]:
    rows = Offer.objects.with_terms().order_by("pk")
    return [(row.terms.quantity_lots, row.terms.price_ticks) for row in rows if row.terms]


@pytest.mark.parametrize(
    ("verb", "amount", "expected"),
    [
        ("set_price", "3.125", [(10_000, 3_125), (20_000, 3_125), (30_000, 3_125)]),
        ("add_to_price", "-0.500", [(10_000, 2_000), (20_000, 2_000), (30_000, 2_000)]),
        ("scale_price", "-10", [(10_000, 2_250), (20_000, 2_250), (30_000, 2_250)]),
        ("scale_price", "0.03", [(10_000, 2_501), (20_000, 2_501), (30_000, 2_501)]),
        ("set_quantity", "5", [(5_000, 2_500), (5_000, 2_500), (5_000, 2_500)]),
        ("scale_quantity", "50", [(15_000, 2_500), (30_000, 2_500), (45_000, 2_500)]),
    ],
)
def test_prices_and_quantities_are_changed_alike(
    at: Desk, verb: str, amount: str, expected: list[tuple[int, int]]
) -> None:
    answer = at.client.post(ADDRESS, chosen(three(at), verb=verb, amount=amount))
    assert answer.status_code == 302, answer.content.decode()
    assert terms_now() == expected
    assert OfferVersion.objects.count() == 6


def test_offers_are_paused_put_on_sale_and_withdrawn_together(at: Desk) -> None:
    offers = three(at)
    for verb, state in (("pause", "paused"), ("resume", "active"), ("withdraw", "withdrawn")):
        answer = at.client.post(ADDRESS, chosen(offers, verb=verb, reason="the site moves"))
        assert answer.status_code == 302, answer.content.decode()
        assert set(Offer.objects.values_list("state", flat=True)) == {state}
    assert set(Offer.objects.values_list("reason_detail", flat=True)) == {"the site moves"}


def test_one_offer_in_the_way_keeps_all_as_they_were_and_is_named(at: Desk) -> None:
    offers = three(at)
    withdraw_offer(offers[1].public_id, caller=at.caller, reason="gone")
    answer = at.client.post(ADDRESS, chosen(offers, verb="set_price", amount="9"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "Nothing was changed" in page
    in_the_way = page.partition('aria-labelledby="in-the-way"')[2].partition("</table>")[0]
    assert "of 20" in in_the_way
    assert "In its present state the offer does not allow this." in in_the_way
    assert "of 10" not in in_the_way
    assert terms_now() == [(10_000, 2_500), (20_000, 2_500), (30_000, 2_500)]
    assert OfferVersion.objects.count() == 3


def test_together_they_promise_no_more_than_the_site_has(at: Desk) -> None:
    answer = at.client.post(ADDRESS, chosen(three(at), verb="set_quantity", amount="40"))
    page = answer.content.decode()
    assert answer.status_code == 422
    assert "The site has less than that free" in page
    assert terms_now() == [(10_000, 2_500), (20_000, 2_500), (30_000, 2_500)]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"verb": "set_price", "amount": "cheap"}, "Write a plain decimal number"),
        ({"verb": "set_price", "amount": ""}, "Write a plain decimal number"),
        ({"verb": "set_price", "amount": "-1"}, "Must not be negative."),
        ({"verb": "add_to_price", "amount": "-2.501"}, "Must not be negative."),
        ({"verb": "scale_quantity", "amount": "-100"}, "Must be more than nothing."),
        ({"verb": "withdraw"}, "An end needs a reason."),
        ({"verb": "burn"}, "Select a valid choice."),
    ],
)
def test_a_change_that_cannot_be_read_or_kept_changes_nothing(
    at: Desk, change: dict[str, str], said: str
) -> None:
    answer = at.client.post(ADDRESS, chosen(three(at), **change))
    assert answer.status_code == 422
    assert said in answer.content.decode()
    assert terms_now() == [(10_000, 2_500), (20_000, 2_500), (30_000, 2_500)]


def test_all_that_the_filter_leaves_are_changed(at: Desk) -> None:
    offers = three(at)
    at.client.post(f"/offers/{offers[0].public_id}/pause/")
    change = {"all": "yes", "verb": "set_price", "amount": "4"}
    answer = at.client.post(f"{ADDRESS}?state=active", change)
    assert answer["Location"] == "/offers/?state=active"
    assert terms_now() == [(10_000, 2_500), (20_000, 4_000), (30_000, 4_000)]


def test_nothing_chosen_is_said(at: Desk) -> None:
    three(at)
    answer = at.client.post(ADDRESS, {"verb": "pause"})
    assert answer.status_code == 422
    assert "Choose at least one offer." in answer.content.decode()


def test_strangers_offers_are_passed_over_as_if_there_were_none(at: Desk) -> None:
    stranger = portal(OrganizationFactory.create())
    answer = stranger.post(ADDRESS, chosen(three(at), verb="set_price", amount="9"))
    assert answer.status_code == 422
    assert terms_now() == [(10_000, 2_500), (20_000, 2_500), (30_000, 2_500)]


def test_nothing_is_changed_while_the_market_is_halted(at: Desk) -> None:
    offers = three(at)
    MarketFreeze.objects.create(reason="a test", actor="a test", frozen_at=hour_ahead(0))
    answer = at.client.post(ADDRESS, chosen(offers, verb="set_price", amount="9"))
    assert answer.status_code == 422
    assert "The market is halted." in answer.content.decode()


def test_a_viewer_sees_no_form_and_changes_nothing(at: Desk) -> None:
    offers = three(at)
    viewer = portal(at.market.provider, role="viewer")
    assert 'id="bulk"' not in viewer.get("/offers/").content.decode()
    answer = viewer.post(ADDRESS, chosen(offers, verb="pause"))
    assert answer.status_code == 403


def test_a_reload_after_a_refusal_goes_back_to_the_list(at: Desk) -> None:
    assert at.client.get(f"{ADDRESS}?state=paused")["Location"] == "/offers/?state=paused"

"""What would have helped a bid that lost, as a form that is filled in with it."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext as _

from accounts.web.form_fields import control_time
from accounts.web.showing import price
from exchange.foundation.money import LOTS, TICKS, format_scaled
from exchange.models import Answer, Bid, BidKind, TimeInForce
from exchange.portal.bid_bodies import body_of_bid
from exchange.portal.bid_forms import STANDING
from exchange.portal.bid_words import rule_of

MICROS_A_TICK: Final = 1_000
MINUTES_AN_HOUR: Final = 60
# Rules that a bid may do without; an empty field asks for nothing.
DROPPABLE: Final = ("regions", "latency_ms_max", "renewable_share_min", "gbps")
SAME_NAME: Final = (
    *("kind", "origin", "quantity", "model", "dtype", "project", "group", "label"),
    *("latency_ms_max", "gbps", "renewable_share_min", "regions"),
)
Help = tuple[str, str]  # words, and the address of the form that does so


def again_address(bid: Bid, *, now: datetime, **changes: Any) -> str:
    """Return the address of the form with the bid's terms, but for ``changes`` of its fields.

    A time that has begun is left to the form, which proposes that of the next auction.
    """
    fields = {**_fields_of(bid, now), **changes}
    return f"{reverse('bid_new')}?{urlencode(fields, doseq=True)}"


def helps_of(bid: Bid, told: Mapping[str, Any], *, now: datetime) -> Iterator[Help]:
    """Yield what would have helped, given the answer that the bid got in an auction."""
    answer, cheapest = told.get("answer"), told.get("cheapest_micros")
    if answer == Answer.OUT_OF_THE_MONEY and cheapest is not None:
        yield _in_the_money(bid, -(-cheapest // MICROS_A_TICK), now)
    elif answer == Answer.AT_THE_MARGIN:
        ticks = bid.limit_ticks + 1
        said = _("A tick more comes before all that share at the price: %(price)s. Bid so again")
        yield said % {"price": price(ticks)}, _with_limit(bid, ticks, now)
    elif answer == Answer.INDIVISIBLE and bid.quantity_lots >= 2 * LOTS:
        half = bid.quantity_lots // LOTS // 2 * LOTS
        words = _("Half as many at once fits more easily. Bid so again")
        yield words, again_address(bid, now=now, quantity=format_scaled(half, scale=LOTS))
    elif answer == Answer.NO_CAPACITY:
        yield from _without_rule(bid, str(told.get("detail", "")), now)


def _in_the_money(bid: Bid, ticks: int, now: datetime) -> Help:
    """Propose the limit that a unit cost at least; divisible bids share at it and win above it."""
    if bid.kind == BidKind.BLOCK:
        said = _("A limit of %(price)s would have been in the money. Bid so again")
        return said % {"price": price(ticks)}, _with_limit(bid, ticks, now)
    said = _("A limit above %(price)s would have got its cheapest hours. Bid so again")
    return said % {"price": price(ticks)}, _with_limit(bid, ticks + 1, now)


def _without_rule(bid: Bid, detail: str, now: datetime) -> Iterator[Help]:
    _before, found, rule = detail.partition("excluded by ")
    if found and rule in DROPPABLE:
        said = _("Bid again without the rule that left nothing: %(rule)s")
        yield said % {"rule": rule_of(rule)}, again_address(bid, now=now, **{rule: ""})


def _with_limit(bid: Bid, ticks: int, now: datetime) -> str:
    return again_address(bid, now=now, most=format_scaled(ticks, scale=TICKS))


def _fields_of(bid: Bid, now: datetime) -> dict[str, Any]:
    body = body_of_bid(bid)
    fields: dict[str, Any] = {name: body[name] for name in SAME_NAME if name in body}
    fields |= {"most": body["limit_price"], "most_is": "price"}
    if bid.time_in_force == TimeInForce.STANDING:
        fields["auction"] = STANDING
    if bid.starts_at > now:
        fields |= {"starts_at": control_time(bid.starts_at), "ends_at": control_time(bid.ends_at)}
    if bid.duration_minutes:
        fields["hours"] = body["duration"]
    elif bid.volume_lot_minutes:
        lots = bid.volume_lot_minutes * LOTS // bid.quantity_lots // MINUTES_AN_HOUR
        fields["hours"] = format_scaled(lots, scale=LOTS)
    if bid.ai_model is None:
        first, *others = bid.factors
        fields |= {"accelerator": first, "others": others}
    return fields

"""What is owed for one delivery period, as arithmetic: terms and meters' figures in, amounts out.

Pure: no Django, no database, no clock. Everything is a whole number; a price is an integer of
10^-21 of the currency per accelerator-hour, so that products with milliseconds stay exact until
the one rounding of each amount to micro-units: the buyer's down, the seller's up, the rest to
``rounding`` (settlement.md, sections 1 and 4).
"""

import hashlib
from collections.abc import Callable
from decimal import Context, Decimal, Inexact
from operator import itemgetter
from typing import Literal, NamedTuple

PRICE_DECIMALS = 21
PPM = 1_000_000
MS_PER_HOUR = 3_600_000
RULES = "compute-settlement/1"
_MICROS_DIVISOR: int = MS_PER_HOUR * 10 ** (PRICE_DECIMALS - 6)
_EXACT = Context(prec=60, traps=[Inexact])
GRID_GRAMS_PER_MWH = 536_600
"""CO2 of a MWh where no table says better: China's average of 2022, 0.5366 kg a kWh (Ministry of
Ecology and Environment, National Bureau of Statistics: announcement of 20 December 2024 on the
CO2 factors of electricity of 2022). ``settlement.models.GridFactor`` has the others."""

_NO_EXCUSE = '"excused_ms":0,'

Place = Literal["available", "payable", "clearing"]


def scaled_price(price: Decimal) -> int:
    """Return a price in whole units of 10^-21; raises ``decimal.Inexact`` for more decimals."""
    if not price:  # most congestion, power and policy prices
        return 0
    return int(price.scaleb(PRICE_DECIMALS, _EXACT).to_integral_exact(context=_EXACT))


def exact_price(scaled: int | None) -> Decimal | None:
    """Return the price that ``scaled_price`` made a whole number of."""
    return None if scaled is None else Decimal(scaled).scaleb(-PRICE_DECIMALS, _EXACT)


class Terms(NamedTuple):
    """What a contract says about one period. Prices as ``scaled_price`` gives them."""

    contracted_ms: int
    cell_price: int
    buyer_price: int
    seller_price: int
    congestion_price: int
    power_price: int
    policy_price: int
    replacement_price: int | None
    tolerance_ppm: int
    penalty_factor_ppm: int
    buyer_fee_ppm: int
    seller_fee_ppm: int
    watts_micros: int
    pue_micros: int
    renewable_micros: int
    grid_grams_per_mwh: int = GRID_GRAMS_PER_MWH


class Metered(NamedTuple):
    """What the meters say about one period, in accelerator-milliseconds and millijoules.

    ``excused_ms`` fell into curtailments by the operator, or behind the notice by which the
    provider reclaimed it: not delivered, it costs no penalty. ``buyer_ms`` is None where the buyer
    has no meter that saw the period; ``ruled_ms`` is what an upheld dispute decided;
    ``energy_mj`` is None where no meter counted energy.
    """

    provider_ms: int
    buyer_ms: int | None = None
    ruled_ms: int | None = None
    excused_ms: int = 0
    energy_mj: int | None = None


class Postings(NamedTuple):
    """All that is owed for the period so far, in micro-units; each amount is cumulative."""

    contracted_ms: int
    delivered_ms: int
    buyer_due: int = 0
    seller_due: int = 0
    congestion: int = 0
    power: int = 0
    policy: int = 0
    rounding: int = 0
    buyer_fee: int = 0
    seller_fee: int = 0
    penalty: int = 0
    energy_wh: int = 0
    co2_grams: int = 0
    disagree: bool = False

    @property
    def charge(self) -> int:
        """What the buyer pays, with its fee and before any credit."""
        return self.buyer_due + self.buyer_fee

    @property
    def earning(self) -> int:
        """What the provider is owed, less its fee and before any penalty."""
        return self.seller_due - self.seller_fee


NOTHING_OWED = Postings(contracted_ms=0, delivered_ms=0)


class Leg(NamedTuple):
    """``amount`` > 0 micro-units move between a party's account and the run's clearing."""

    name: str
    debit: Place
    credit: Place
    amount: int
    captures: bool = False


def settle(terms: Terms, metered: Metered) -> Postings:
    """Return all that is owed for one period, given what its meters say."""
    delivered, disagree = delivered_of(terms, metered)
    buyer_due = _micros_below(terms.buyer_price, delivered)
    seller_due = -_micros_below(-terms.seller_price, delivered)
    congestion = _micros_below(terms.congestion_price, delivered)
    power = _micros_below(terms.power_price, delivered)
    policy = _micros_below(terms.policy_price, delivered)
    energy_wh = _energy_wh(terms, metered, delivered)
    return Postings(
        contracted_ms=terms.contracted_ms,
        delivered_ms=delivered,
        buyer_due=buyer_due,
        seller_due=seller_due,
        congestion=congestion,
        power=power,
        policy=policy,
        rounding=buyer_due - seller_due - congestion - power + policy,
        buyer_fee=max(buyer_due, 0) * terms.buyer_fee_ppm // PPM,
        seller_fee=max(seller_due, 0) * terms.seller_fee_ppm // PPM,
        penalty=_penalty(terms, terms.contracted_ms - delivered - metered.excused_ms),
        energy_wh=energy_wh,
        co2_grams=_co2_grams(terms, energy_wh),
        disagree=disagree,
    )


def delivered_of(terms: Terms, metered: Metered) -> tuple[int, bool]:
    """Return what counts as delivered, at most what was contracted, and whether meters disagree.

    A ruling decides. Two meters within the tolerance (of the larger figure): the provider's.
    Further apart: the lower, until a dispute says otherwise.
    """
    provider = min(metered.provider_ms, terms.contracted_ms)
    if metered.ruled_ms is not None:
        return min(metered.ruled_ms, terms.contracted_ms), False
    if metered.buyer_ms is None:
        return provider, False
    buyer = min(metered.buyer_ms, terms.contracted_ms)
    if abs(provider - buyer) * PPM <= max(provider, buyer) * terms.tolerance_ppm:
        return provider, False
    return min(provider, buyer), True


def greatest_charge(terms: Terms) -> int:
    """Return what the buyer pays if all is delivered: what its hold keeps for the period."""
    return settle(terms, Metered(provider_ms=terms.contracted_ms)).charge


def legs_between(before: Postings | None, after: Postings, *, peak: int) -> list[Leg]:
    """Return what to move so that the parties stand as ``after`` says instead of ``before``.

    ``peak`` is the most that the buyer was ever charged for the period: beyond it the buyer's
    hold is captured; what was once given back is taken from its free money.
    """
    was = before or NOTHING_OWED
    captured = max(0, after.charge - max(0, peak))
    paid = after.charge - was.charge - captured
    earned = after.earning - was.earning
    credited = after.penalty - was.penalty
    legs = []
    if captured:
        legs.append(Leg("capture", "available", "clearing", captured, captures=True))
    if paid:
        legs.append(_either_way("charge", paid, "available", "clearing"))
    if earned:
        legs.append(_either_way("earning", earned, "clearing", "payable"))
    if credited:
        legs.append(_either_way("penalty", credited, "payable", "available"))
    return legs


def shares_between(before: Postings | None, after: Postings) -> dict[str, int]:
    """Return what the clearing account passes on to the house's accounts (either sign)."""
    was = before or NOTHING_OWED
    return {
        "buyer_fee": after.buyer_fee - was.buyer_fee,
        "seller_fee": after.seller_fee - was.seller_fee,
        "congestion": after.congestion - was.congestion,
        "power": after.power - was.power,
        "policy": was.policy - after.policy,
        "rounding": after.rounding - was.rounding,
    }


def inputs_sha256(terms: Terms, metered: Metered) -> bytes:
    """Return the hash of all that ``settle`` was given, as sorted compact JSON."""
    given = f'{{"metered":{_compact(metered)},"rules":"{RULES}","terms":{_compact(terms)}}}'
    return hashlib.sha256(given.encode()).digest()


def _compact(told: Terms | Metered) -> str:
    """Return sorted compact JSON; an excuse that was not needed is left out, as it always was."""
    template, in_order = _JSON[type(told)]
    text = template % in_order(told)
    return text.replace("None", "null").replace(_NO_EXCUSE, "")


def _json_of(kind: type[Terms | Metered]) -> tuple[str, Callable[[tuple[object, ...]], object]]:
    """Return how the fields of ``kind`` are spelled, and what puts them into that order."""
    names = sorted(kind._fields)
    template = ",".join(f'"{name}":%s' for name in names)
    return f"{{{template}}}", itemgetter(*map(kind._fields.index, names))


_JSON = {kind: _json_of(kind) for kind in (Terms, Metered)}


def _micros_below(price: int, ms: int) -> int:
    return price * ms // _MICROS_DIVISOR


def _penalty(terms: Terms, shortfall_ms: int) -> int:
    if shortfall_ms <= 0:
        return 0
    price = max(terms.cell_price, terms.replacement_price or 0, 0)
    return price * shortfall_ms * terms.penalty_factor_ppm // (_MICROS_DIVISOR * PPM)


def _energy_wh(terms: Terms, metered: Metered, delivered_ms: int) -> int:
    """Return the site's energy, PUE included: as counted, else from the chip's nominal watts."""
    if metered.energy_mj is not None:
        return metered.energy_mj * terms.pue_micros // (MS_PER_HOUR * 1_000_000)
    return delivered_ms * terms.watts_micros * terms.pue_micros // (MS_PER_HOUR * 10**12)


def _co2_grams(terms: Terms, energy_wh: int) -> int:
    bought_micros = 1_000_000 - terms.renewable_micros
    return energy_wh * bought_micros * terms.grid_grams_per_mwh // 10**12


def _either_way(name: str, amount: int, debit: Place, credit: Place) -> Leg:
    """Return a leg of ``amount``, turned round if that is negative."""
    if amount < 0:
        return Leg(name, credit, debit, -amount)
    return Leg(name, debit, credit, amount)

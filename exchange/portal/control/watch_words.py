"""What the market watch says: the names of its boards, of figures, and the rule of each board."""

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Final, NamedTuple

from django.utils.functional import Promise
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _

from accounts.web.showing import NOTHING, market_time, money, price, quantity
from exchange.models import FindingKind
from exchange.portal.market.words import percent_of, scaled_short
from exchange.queries.watch.findings import Subject

SAID_SUMS: Final = _("all")


def _number(value: int | None) -> str:
    return NOTHING if value is None else f"{value:,}"


class Figure(NamedTuple):
    """What a figure is called, and how it is shown."""

    heading: "str | Promise"
    show: Callable[[int | None], str]


# In the order in which they are shown.
FIGURES: Final[dict[str, Figure]] = {
    "hhi_sold": Figure(_("HHI, sold"), _number),
    "hhi_offered": Figure(_("HHI, offered"), _number),
    "sellers_sold": Figure(_("Sellers"), _number),
    "sellers_offered": Figure(_("Offering"), _number),
    "largest_share_micros": Figure(_("Largest seller"), percent_of),
    "sold_lot_hours": Figure(_("Sold, accelerator-hours"), quantity),
    "offered_lot_hours": Figure(_("Offered, accelerator-hours"), quantity),
    "sold_share_micros": Figure(_("Share of sold"), percent_of),
    "offered_share_micros": Figure(_("Share of offered"), percent_of),
    "hours_traded": Figure(_("Hours with trades"), _number),
    "hours_pivotal": Figure(_("Hours pivotal"), _number),
    "pivotal_share_micros": Figure(_("Share of hours"), percent_of),
    "hours_tight": Figure(_("Hours below 1.1"), _number),
    "rsi_least_micros": Figure(_("Lowest index"), scaled_short),
    "hours": Figure(_("Hours"), _number),
    "unoffered_lot_hours": Figure(_("Not offered, accelerator-hours"), quantity),
    "above_lot_hours": Figure(_("Too dear, accelerator-hours"), quantity),
    "usual_ticks": Figure(_("Usual ask"), price),
    "price_ticks": Figure(_("Price"), price),
    "margin_micros": Figure(_("Worth at most"), money),
    "median_ticks": Figure(_("Median before"), price),
    "ratio_micros": Figure(_("Price / median"), scaled_short),
    "days": Figure(_("Days in the median"), _number),
    "trades": Figure(_("Trades"), _number),
    "lot_hours": Figure(_("Accelerator-hours"), quantity),
    "amount_micros": Figure(_("Amount of money"), money),
    "share_micros": Figure(_("Of all it bought"), percent_of),
    "bids": Figure(_("Bids that could meet"), _number),
    "set_aside": Figure(_("Set aside"), _number),
}


class Board(NamedTuple):
    """A board: its name, the parts of the subject that are its columns, its rule's template."""

    name: "str | Promise"
    subject: tuple[str, ...]
    nothing: "str | Promise"
    rule: str


BOARDS: Final[dict[str, Board]] = {
    "concentration": Board(
        _("Concentration"),
        ("region", "accelerator"),
        _("Nothing was offered or sold in this time."),
        "exchange/control/watch/rule_concentration.html",
    ),
    "pivotal": Board(
        _("Pivotal sellers"),
        ("seller", "region"),
        _("No seller's index fell below 1.1 in this time."),
        "exchange/control/watch/rule_pivotal.html",
    ),
    "pivotal-accelerators": Board(
        _("Pivotal, by accelerator"),
        ("seller", "region", "accelerator"),
        _("No seller's index fell below 1.1 in this time."),
        "exchange/control/watch/rule_pivotal_accelerators.html",
    ),
    "related": Board(
        _("Related organizations"),
        ("buyer", "seller", "why"),
        _("No orders of related organizations met in a book in this time."),
        "exchange/control/watch/rule_related.html",
    ),
    "withheld": Board(
        _("Withheld capacity"),
        ("seller", "site", "accelerator"),
        _("Nothing was kept back in hours in which it would have earned."),
        "exchange/control/watch/rule_withheld.html",
    ),
    "spike": Board(
        _("Price spikes"),
        ("region", "accelerator", "at"),
        _("No price was far above what it used to be."),
        "exchange/control/watch/rule_spike.html",
    ),
}
SUBJECT: Final[dict[str, "str | Promise"]] = {
    "region": _("Region"),
    "accelerator": _("Accelerator"),
    "site": _("Site"),
    "seller": _("Seller"),
    "buyer": _("Buyer"),
    "at": _("Hour"),
    "why": _("Why related"),
}
KINDS: Final[dict[str, "str | Promise"]] = {
    FindingKind.CONCENTRATION: _("concentration"),
    FindingKind.PIVOTAL: _("pivotal seller"),
    FindingKind.RELATED: _("related organizations"),
    FindingKind.WITHHELD: _("withheld capacity"),
    FindingKind.SPIKE: _("price spike"),
}
WHY: Final[dict[str, "str | Promise"]] = {
    "owner": _("the same owner"),
    "control": _("one controls the other"),
    "person": _("the same person decides in both"),
    "agreement": _("an agreement about what they offer or buy"),
    "owner_group": _("the same owner group"),
    "member": _("a member of both"),
    "domain": _("addresses at one domain"),
}
OUTCOMES: Final[dict[str, "str | Promise"]] = {
    "no_breach": _("no breach"),
    "explained": _("explained by the market"),
    "warned": _("warned"),
    "measure": _("a halt or a limit followed"),
    "referred": _("referred to the authority"),
}
DEEDS: Final[dict[str, "str | Promise"]] = {
    "opened": _("opened"),
    "noted": _("noted"),
    "assigned": _("assigned"),
    "closed": _("closed"),
}


def cells_of(figures: Mapping[str, int | None]) -> list[tuple["str | Promise", str]]:
    """Return figures as headings and what is shown under them."""
    return [
        (row.heading, row.show(figures[name])) for name, row in FIGURES.items() if name in figures
    ]


def subject_words(
    parts: tuple[str, ...],
    subject: Subject,
    *,
    names: Mapping[str, str],
    regions: Mapping[str, str],
    chips: Mapping[str, str],
    why: tuple[str, ...],
) -> list[tuple["str | Promise", object]]:
    """Return the parts of a subject as headings and words; all of something is said so."""
    said: dict[str, object] = {
        "region": regions.get(subject.region, subject.region) or SAID_SUMS,
        "accelerator": chips.get(subject.accelerator, subject.accelerator) or SAID_SUMS,
        "site": subject.site,
        "seller": names.get(subject.seller, subject.seller),
        "buyer": names.get(subject.buyer, subject.buyer),
        "at": _hour(subject.at),
        "why": format_html_join("; ", "{}", ((WHY.get(word, word),) for word in why)),
    }
    return [(SUBJECT[part], said[part]) for part in parts]


def _hour(at: datetime | None) -> object:
    return market_time(at)

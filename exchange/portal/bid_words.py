"""What a bid's rules, answers and fields are called, in the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

RULES: dict[str, "str | Promise"] = {
    "accelerators": _("the accelerators"),
    "regions": _("the regions where it may run"),
    "latency_ms_max": _("how far away it may be"),
    "renewable_share_min": _("the least renewable share"),
    "window": _("the time"),
    "gbps": _("the speed of the link"),
    "duration": _("the hours in one piece"),
    "volume": _("the hours of work"),
    "quantity": _("how many run at once"),
    "limit_price": _("the limit price"),
    "starts_at": _("the earliest start"),
    "ends_at": _("the deadline"),
    "gang": _("capacity in one piece"),
    "capacity in one piece": _("capacity in one piece"),
}
ANSWERS: dict[str, "str | Promise"] = {
    "filled": _("It got everything that it asked for."),
    "partially_filled": _(
        "It got a part: its limit was just at the clearing price, or what it accepts was sold out."
    ),
    "at_the_margin": _(
        "Its limit was just at the clearing price, and what there was at that price was shared "
        "among all bids at it; none of it fell to this one."
    ),
    "out_of_the_money": _(
        "Everything that it accepts cost more than its limit. A limit of at least the cheapest "
        "price below would have been in the money."
    ),
    "no_acceptable_capacity": _("Nothing that it accepts was on offer."),
    "indivisible": _(
        "Its limit was high enough, but a block is filled whole or not at all, and no whole one "
        "fitted beside what was worth more. Smaller alternatives in one group help."
    ),
    "other_alternative": _("Another alternative of the same job was taken."),
}
HINDSIGHT: dict[str, "str | Promise"] = {
    "filled": _("It would have got everything that it asks for."),
    "partly_filled": _("It would have got a part, as far as its limit and the capacity went."),
    "sold_out": _("Its limit met the price, but others were ready to pay more for what there was."),
    "outbid": _("The price was above its limit."),
    "unreachable": _("Nothing that it accepts was on offer."),
}
KINDS: dict[str, "str | Promise"] = {
    "hourly": _("hour by hour, each on its own"),
    "block": _("in one piece, all or nothing"),
    "volume": _("an amount of work by a deadline"),
}


def rule_of(code: str) -> "str | Promise":
    """Return what one rule of a bid is called."""
    return RULES.get(code, code)


def excluding_rule(detail: str) -> "str | Promise":
    """Return the rule that an answer says left nothing, '' where it names none."""
    _before, found, rule = detail.partition("excluded by ")
    return rule_of(rule) if found else ""

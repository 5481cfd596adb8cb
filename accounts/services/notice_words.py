"""What happened, as a sentence in the reader's language."""

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.models import EventType, OutboxEvent

SENTENCES: dict[str, "str | Promise"] = {
    EventType.AUCTION_DECIDED: _(
        "Auction %(auction)s: %(filled)s of your %(bids)s bids filled, %(partially_filled)s in "
        "part; contracts bought: %(contracts_bought)s, sold: %(contracts_sold)s."
    ),
    EventType.CONTRACT_SHORTFALL: _(
        "Contract %(contract)s: %(shortfall_hours)s accelerator-hours were not delivered; "
        "penalty %(penalty)s."
    ),
    EventType.DISPUTE_MOVED: _("Dispute about contract %(contract)s: %(state)s. %(reason)s"),
    EventType.RESALE_MOVED: _(
        "Resale of %(accelerator)s at %(site)s from %(starts_at)s at %(price)s an hour: %(state)s."
    ),
    EventType.STATEMENT_FINALIZED: _("Statement %(series)s-%(number)s is final."),
    EventType.BUDGET_ALERT: _(
        "Project %(name)s has committed %(committed)s of its budget of %(budget)s %(currency)s: "
        "it passed %(percent)s %%."
    ),
    EventType.BALANCE_LOW: _(
        "Only %(free)s %(currency)s are free to bid with, less than %(mark)s."
    ),
    EventType.DEPOSIT_POSTED: _("A deposit of %(amount)s %(currency)s arrived."),
    EventType.PAYOUT_MOVED: _("Payout of %(amount)s %(currency)s: %(state)s."),
}


def sentence_of(event: OutboxEvent) -> str:
    """Return what an event says to a member."""
    said: str = str(SENTENCES[event.type]) % event.data
    return said

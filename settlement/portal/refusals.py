"""What the domain refused, as a page says it in the reader's language."""

from collections.abc import Callable

from django import forms
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from accounts.services.organizations import ReasonMissing
from exchange.foundation.states import IllegalMove, LostRace
from settlement.services.access_notes import (
    ContractOver,
    NoteMalformed,
    NoteMissing,
)
from settlement.services.budgets import BudgetExceeded, UnknownProject
from settlement.services.contract_life import NotAParty, NotConfirmable, NothingToReclaim
from settlement.services.disputes import (
    AlreadyDisputed,
    BadRuling,
    DisputeTooLate,
    NotDisputable,
)
from settlement.services.enrolment import DeviceTaken, WrongDevice
from settlement.services.handover import EnrolmentMalformed, NotAssigned, TooManyMeters
from settlement.services.holds import InsufficientFunds
from settlement.services.payouts import PayoutNotFound, PayoutOutOfRange
from settlement.services.projects import ProjectExists, ProjectNotFound
from settlement.services.resale_markets import MarketRefuses
from settlement.services.resales import (
    BadNewBuyer,
    HoursTaken,
    NotResellable,
    NotTheNewBuyer,
    NotTheReseller,
    ResaleInBook,
    ResaleLapsed,
    ResaleOutside,
    TooManyResales,
)
from settlement.services.resold_moves import DeliveredUnderAnother

WORDS: dict[type[Exception], "str | Promise"] = {
    IllegalMove: _("In its present state this cannot be done."),
    LostRace: _("Somebody else was faster. Look at it again."),
    InsufficientFunds: _("There is not that much free money."),
    PayoutNotFound: _("There is no such payout."),
    AlreadyDisputed: _("A dispute about this time is undecided."),
    BadRuling: _("Between nothing and what was contracted."),
    DisputeTooLate: _("The time in which this could be disputed is over."),
    NotDisputable: _("Only what has been settled and is not final can be disputed."),
    NotAParty: _("This is for a party of the contract, as an owner or a trader."),
    NotConfirmable: _("This was confirmed before, or the contract is not about to run."),
    NothingToReclaim: _("The contract is over before the notice would be."),
    ReasonMissing: _("A reason is needed."),
    ProjectExists: _("There is a project of this name, or there are too many."),
    ProjectNotFound: _("There is no such project, or it is closed."),
    PayoutOutOfRange: _("Only whole cents or fen are paid out, up to a limit."),
    EnrolmentMalformed: _("Not enrolled: a name is missing or too long, or stands on other terms."),
    TooManyMeters: _("There are too many meters. Revoke one first."),
    DeviceTaken: _("The device serves another contract at that time."),
    WrongDevice: _("This device cannot serve this contract."),
    NotAssigned: _("This device does not serve this contract."),
    NoteMissing: _("The provider has not written the note yet."),
    NoteMalformed: _("The note is empty or too long."),
    ContractOver: _("The contract is over."),
    DeliveredUnderAnother: _("These hours were resold: they are delivered under another contract."),
    NotTheReseller: _("Only the contract's buyer resells it, as an owner or a trader."),
    NotTheNewBuyer: _("Only whom it is offered to takes or declines it, and only one that buys."),
    NotResellable: _("A contract is resold while it is about to run or runs as agreed."),
    ResaleOutside: _("Whole hours of the contract that have not begun, please."),
    HoursTaken: _("There is not that much left in every hour: it is resold or on sale already."),
    BadNewBuyer: _("The new buyer is another organization that buys."),
    TooManyResales: _("There are too many resales of this contract. Take one off sale first."),
    ResaleLapsed: _("It has begun, or the contract can no longer be resold."),
    MarketRefuses: _("The market is halted there, or it is more than you may take on at once."),
    ResaleInBook: _("It stands in a book that is being cleared. Wait until that is published."),
    UnknownProject: _("There is no such project, or it is closed."),
    BudgetExceeded: _("What is left of the project's budget does not cover it."),
}
REFUSALS = tuple(WORDS)


def words_of(refused: Exception) -> str:
    """Return what a refusal means, by the nearest of its classes that has words."""
    return str(next(WORDS[kind] for kind in type(refused).__mro__ if kind in WORDS))


def carry_out(form: forms.Form, deed: Callable[[], object]) -> bool:
    """Do the deed and return whether it was done; a refusal becomes the form's error."""
    try:
        deed()
    except REFUSALS as refused:
        form.add_error(None, words_of(refused))
        return False
    return True

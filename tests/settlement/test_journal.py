"""The journal is accepted by Beancount's own check, and its balances are the ledger's."""

import subprocess
import sys
from collections import defaultdict
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core import data

from accounts.models import Organization
from settlement.models import AccountKind, LedgerAccount, Transfer
from settlement.queries.journal import EXCHANGE_ACCOUNTS, journal
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from settlement.services.statements import finalize_due
from tests.factories import api, auditor, caller, portal
from tests.settlement.deliveries import HOUR, TEN, Delivery, an_event, balance, play_at
from tests.settlement.paper import settled
from tests.settlement.test_credit_notes import FEBRUARY

pytestmark = pytest.mark.django_db
FIRST, AFTER = date(2026, 1, 1), date(2026, 3, 1)


@pytest.fixture
def delivery() -> Delivery:
    """Two months: an hour three quarters delivered in January, corrected in February."""
    found = settled()
    finalize_due(play_at(FEBRUARY))
    rest = an_event(found, seq=2, starts=TEN + HOUR * 3 // 4, ends=TEN + HOUR)
    ingest(found.meter, [rest])
    settle_due(play_at(FEBRUARY))
    return found


def books(organization: Organization, *, first: date = FIRST, after: date = AFTER) -> str:
    return "".join(journal(caller(organization), first=first, after=after))


def balances(text: str) -> dict[str, Decimal]:
    """Return what Beancount says stands on each account; it may find no error."""
    entries, errors, _options = loader.load_string(text)
    assert errors == []
    found: dict[str, Decimal] = defaultdict(Decimal)
    for entry in entries:
        for posting in entry.postings if isinstance(entry, data.Transaction) else ():
            assert posting.units is not None
            found[posting.account] += posting.units.number or Decimal(0)
    return dict(found)


def test_every_kind_of_account_has_its_place() -> None:
    assert set(EXCHANGE_ACCOUNTS) == set(AccountKind)


def test_bean_check_accepts_the_exchanges_books(delivery: Delivery, tmp_path: Path) -> None:
    file = tmp_path / "books.beancount"
    file.write_text(books(auditor()))
    check = [Path(sys.executable).parent / "bean-check", file]

    assert subprocess.run(check, check=False).returncode == 0  # noqa: S603
    wrong = file.read_text().replace("7.575000", "7.574999", 2)
    file.write_text(wrong)
    assert subprocess.run(check, check=False, capture_output=True).returncode == 1  # noqa: S603


def test_the_exchanges_balances_are_the_ledgers(delivery: Delivery) -> None:
    found = balances(books(auditor()))

    ledger = {
        account.owner.public_id if account.owner else account.kind: account.balance_micros
        for account in LedgerAccount.objects.exclude(kind="clearing").select_related("owner")
    }
    ours = Decimal(ledger[delivery.buyer.public_id]).scaleb(-6)
    owed = Decimal(ledger[delivery.provider.public_id]).scaleb(-6)
    names = {name.rpartition(":")[2].lower().replace("-", "_"): name for name in found}
    assert found[names[delivery.buyer.public_id]] == -ours
    assert found[names[delivery.provider.public_id]] == -owed
    assert found["Income:Fees"] == -Decimal(ledger["fee"]).scaleb(-6)
    assert found["Assets:Bank"] == -Decimal(ledger["external"]).scaleb(-6)
    assert sum(found.values()) == 0


def test_a_buyers_books_are_its_own_side(delivery: Delivery) -> None:
    found = balances(books(delivery.buyer))

    available = Decimal(balance(delivery.buyer, AccountKind.AVAILABLE)).scaleb(-6)
    assert found["Assets:Exchange:Available"] == available
    assert found["Expenses:Exchange:ComputingPower"] == Decimal("10.1")
    assert sum(found.values()) == 0
    assert delivery.provider.public_id not in books(delivery.buyer)


def test_a_providers_books_are_its_own_side(delivery: Delivery) -> None:
    found = balances(books(delivery.provider))

    assert found["Income:Exchange:ComputingPower"] == Decimal("-9.8")
    assert found["Assets:Exchange:Payable"] == Decimal("9.8")


def test_a_month_begins_with_what_the_one_before_left(delivery: Delivery) -> None:
    february = books(auditor(), first=date(2026, 2, 1))

    assert "brought forward" in february
    assert balances(february) == balances(books(auditor()))
    assert february.count(' * "') < books(auditor()).count(' * "')


def test_every_transfer_stands_in_it_once_with_its_id(delivery: Delivery) -> None:
    text = books(auditor())

    ids = [str(transfer.pk) for transfer in Transfer.objects.all()]
    assert [text.count(f'transfer: "{each}"') for each in ids] == [1] * len(ids)
    assert f'contract: "{delivery.contract.public_id}"' in text


def streamed(answer: Any) -> str:
    return b"".join(answer.streaming_content).decode()


def test_the_doors_give_the_callers_own(delivery: Delivery) -> None:
    asked = "/api/v1/journal.beancount?first=2026-01-01&after=2026-03-01"

    assert streamed(api(delivery.buyer).get(asked)) == books(delivery.buyer)
    assert streamed(api(auditor()).get(asked)) == books(auditor())
    assert "ComputingPower" in streamed(portal(delivery.buyer).get("/money/journal.beancount"))


@pytest.mark.parametrize(
    "query",
    ["first=x", "after=2026-13-01", "first=1999-12-31", "first=2026-02-01&after=2026-02-01"],
)
def test_days_that_cannot_be_are_refused(query: str) -> None:
    assert api().get(f"/api/v1/journal.beancount?{query}").status_code == 400


def test_an_empty_ledger_is_a_journal_too() -> None:
    assert balances(books(auditor())) == {}

"""What was posted stays as it was, also against SQL that goes round the models."""

import pytest
from django.db import ProgrammingError, connection, transaction

from settlement.models import AccountKind, Batch, Hold, HoldRelease, Transfer
from settlement.services.holds import HoldRequest, place_hold, release_holds
from settlement.services.ledger import house_account
from tests.settlement.books import a_transfer, an_organization, post, put_in

pytestmark = pytest.mark.django_db

FORBIDDEN = [
    "UPDATE settlement_transfer SET amount_micros = amount_micros + 1",
    "UPDATE settlement_transfer SET event_at = now()",
    "DELETE FROM settlement_transfer",
    "UPDATE settlement_batch SET key = key || '!'",
    "DELETE FROM settlement_batch",
    "UPDATE settlement_holdrelease SET reason = 'another'",
    "DELETE FROM settlement_holdrelease",
    "UPDATE settlement_hold SET amount_micros = amount_micros + 1",
    "DELETE FROM settlement_hold",
    """INSERT INTO settlement_transfer SELECT * FROM settlement_transfer
       ON CONFLICT (id) DO UPDATE SET amount_micros = 1""",
]


@pytest.mark.parametrize("statement", FORBIDDEN)
def test_the_database_refuses_to_change_what_was_posted(statement: str) -> None:
    buyer = an_organization()
    account_id = put_in(buyer, 100)
    place_hold(HoldRequest("bid", buyer.pk, 10))
    release_holds(["bid"], "cancelled")
    post("fee", [a_transfer("fee", account_id, house_account(AccountKind.FEE), 1)])
    before = _rows()

    with (
        pytest.raises(ProgrammingError, match="pgtrigger: Cannot"),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        cursor.execute(statement)

    assert _rows() == before


@pytest.mark.parametrize("model", [Transfer, Batch, HoldRelease, Hold])
def test_the_models_refuse_to_delete_them_too(
    model: type[Transfer | Batch | HoldRelease | Hold],
) -> None:
    buyer = an_organization()
    put_in(buyer, 100)
    place_hold(HoldRequest("bid", buyer.pk, 10))
    release_holds(["bid"], "cancelled")
    with pytest.raises(ProgrammingError, match="pgtrigger: Cannot"), transaction.atomic():
        model._default_manager.all()._raw_delete("default")
    assert model._default_manager.exists()


def _rows() -> list[str]:
    models = (Transfer, Batch, Hold, HoldRelease)
    return [str(model._default_manager.order_by("pk").values()) for model in models]

"""Measures on real connections: two who decide at once, of whom one does it."""

import pytest

from exchange.foundation.states import IllegalMove, LostRace
from exchange.models import MarketFreeze, Measure
from exchange.services.freezes import MarketAlreadyFrozen
from exchange.services.measures import approve_measure, ask_halt, measure_of, refuse_measure
from settlement.services.four_eyes import OwnRequest
from tests.exchange.markets import market
from tests.factories import member, operator
from tests.races.test_orders import kinds, together

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_two_who_approve_at_once_one_halts_the_market() -> None:
    market()
    measure = ask_halt(reason="a race", actor=member(operator()))
    others = [member(operator()) for _ in range(4)]

    def approve(who: int) -> None:
        seen = measure_of(measure.public_id, caller=others[who])
        approve_measure(seen, reason="yes", actor=others[who])

    found = together(*(lambda who=who: approve(who) for who in range(4)))

    assert found.count(None) == 1
    assert set(kinds(found)) <= {LostRace.__name__, IllegalMove.__name__}
    assert MarketFreeze.objects.count() == 1
    assert Measure.objects.get().state == "approved"


def test_an_approval_and_a_refusal_at_once_leave_one_decision() -> None:
    market()
    asker, other = member(operator()), member(operator())
    measure = ask_halt(reason="a race", actor=asker)
    found = together(
        lambda: approve_measure(
            measure_of(measure.public_id, caller=other), reason="yes", actor=other
        ),
        lambda: refuse_measure(
            measure_of(measure.public_id, caller=asker), reason="no", actor=asker
        ),
        lambda: approve_measure(
            measure_of(measure.public_id, caller=asker), reason="mine", actor=asker
        ),
    )
    assert isinstance(found[2], OwnRequest)
    assert found[:2].count(None) == 1
    approved = Measure.objects.get().state == "approved"
    assert MarketFreeze.objects.exists() == approved


def test_two_measures_of_one_halt_approved_at_once_halt_once() -> None:
    market()
    who, other = member(operator()), member(operator())
    asked = [ask_halt(reason="a race", actor=who).public_id for _ in range(2)]

    def approve(name: str) -> None:
        approve_measure(measure_of(name, caller=other), reason="yes", actor=other)

    found = together(lambda: approve(asked[0]), lambda: approve(asked[1]))

    assert kinds(found) == [MarketAlreadyFrozen.__name__]
    assert sorted(Measure.objects.values_list("state", flat=True)) == ["approved", "asked"]

"""A small month; `make bench ARGS=month` lives through one of 100,000 contract periods."""

import pytest

from settlement.models import SettlementRun
from tests.settlement.deliveries import broken
from tests.settlement.month import Size, live_through

pytestmark = pytest.mark.django_db
SMALL = Size(providers=7, buyers=21, hours=12, days=3)


def test_honest_periods_settle_to_the_millisecond_and_every_lie_is_flagged() -> None:
    outcome = live_through(SMALL)

    assert outcome.wrong == []
    assert outcome.unseen == []
    assert outcome.accused == []
    assert outcome.honest >= SMALL.periods // 2
    assert outcome.lies > SMALL.hours
    assert outcome.corrected > 0, "late readings changed nothing: the test has lost its point"
    assert set(outcome.answers) == {"accepted", "duplicate", "conflict"}
    assert SettlementRun.objects.filter(run_no=3).count() == SMALL.periods
    assert broken() == []

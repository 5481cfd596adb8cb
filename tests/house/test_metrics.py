"""/metrics: who may read it, and whether it tells the truth in every process."""

import subprocess
import sys
import textwrap
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import LazySettings
from django.db import DatabaseError
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from exchange.config import gauges
from exchange.models import Accelerator, Auction, MarketFreeze
from settlement.models import AuditResult
from settlement.queries.audit import audit_books
from settlement.services.auditing import record_findings
from tests.exchange.markets import market
from tests.settlement.deliveries import TEN, a_delivery, play_at

pytestmark = pytest.mark.django_db
Samples = dict[tuple[str, tuple[str, ...]], float]


def scraped(client: Client | None = None, **headers: str) -> Samples:
    answer = (client or Client()).get("/metrics", headers=headers)
    assert answer.status_code == 200, answer.content
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


@pytest.mark.parametrize(
    ("address", "headers", "status"),
    [
        ("127.0.0.1", {}, 200),
        ("10.1.2.3", {}, 403),
        ("", {}, 403),
        ("10.1.2.3", {"Authorization": "Bearer a-token"}, 200),
        ("10.1.2.3", {"Authorization": "Bearer another"}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "127.0.0.1"}, 403),
        ("127.0.0.1", {"X-Forwarded-For": "8.8.8.8", "Authorization": "Bearer a-token"}, 200),
    ],
)
def test_it_answers_allowed_addresses_and_the_token(
    settings: LazySettings, address: str, headers: dict[str, str], status: int
) -> None:
    settings.METRICS_TOKEN = "a-token"
    assert Client(REMOTE_ADDR=address).get("/metrics", headers=headers).status_code == status


def test_without_a_token_no_token_opens_it(settings: LazySettings) -> None:
    settings.METRICS_TOKEN = ""
    away = Client(REMOTE_ADDR="10.1.2.3")
    assert away.get("/metrics", headers={"Authorization": "Bearer "}).status_code == 403
    settings.METRICS_ALLOWED = ["10.1.0.0/16"]
    assert away.get("/metrics").status_code == 200
    assert away.post("/metrics").status_code == 405


def test_gauges_say_what_the_tables_say() -> None:
    place = market()
    Auction.objects.update(alarm_code="audit_failed", alarm_at=timezone.now())
    found = scraped()
    assert found["exchange_database_up", ()] == 1
    assert found["exchange_auctions", ("open",)] == 1
    assert found["exchange_auctions_stuck", ("failed",)] == 1
    assert found["exchange_auctions_stuck", ("overdue",)] == 0
    assert 0 < found["exchange_next_gate_seconds", ()] <= 3_600
    assert found["exchange_halts", ("market",)] == 0
    MarketFreeze.objects.create(
        accelerator=Accelerator.objects.get(code="h100"),
        reason="a flaw",
        actor="operator",
        frozen_at=timezone.now(),
    )
    found = scraped()
    assert found["exchange_halts", ("accelerator",)] == 1
    assert found["exchange_halts", ("market",)] == 0
    Auction.objects.filter(pk=place.auction.pk).update(state="published")
    assert ("exchange_next_gate_seconds", ()) not in scraped()


def test_gauges_tell_late_meters_and_what_is_under_contract() -> None:
    a_delivery(hours=3)
    play_at(TEN + timedelta(hours=1))
    found = scraped()
    assert found["exchange_meters_late", ()] == 1
    assert found["exchange_accelerators_contracted", ("guizhou",)] == 1
    assert found["exchange_accelerators_reporting", ("guizhou",)] == 0


def test_gauges_tell_what_the_last_audit_found() -> None:
    record_findings(audit_books(), finished_at=timezone.now() - timedelta(hours=2))
    rule = AuditResult.objects.earliest("pk")
    AuditResult.objects.filter(pk=rule.pk).update(broken_count=3, broken_since=timezone.now())
    found = scraped()
    assert found["exchange_audit_broken_rows", (rule.invariant, str(rule.number))] == 3
    assert found["exchange_audit_age_seconds", ()] >= 7_200


def test_a_database_that_is_gone_is_told_and_not_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone() -> Iterator[object]:
        raise DatabaseError("gone")
        yield

    monkeypatch.setattr(gauges, "_auctions", gone)
    found = scraped()
    assert found["exchange_database_up", ()] == 0
    assert ("exchange_halts", ("market",)) not in found


def test_requests_are_counted_by_route_and_not_by_address() -> None:
    def counted() -> float:
        name = "exchange_http_request_seconds_count"
        return scraped().get((name, ("GET", "/market/auctions/<slug:public_id>/", "4xx")), 0)

    before = counted()
    for name in ("auc_1", "auc_2"):
        assert Client().get(f"/market/auctions/{name}/").status_code == 404
    assert counted() == before + 2


COUNT_ELSEWHERE = """
import django
django.setup()
from exchange.config.counting import REQUESTS
REQUESTS.labels("/elsewhere", "GET", "2xx").observe(0.5)
"""


def test_what_another_process_counted_is_added_up(
    settings: LazySettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.METRICS_DIR = tmp_path
    monkeypatch.setenv("METRICS_DIR", str(tmp_path))
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "exchange.config.settings")
    for _ in range(2):
        subprocess.run(  # noqa: S603
            [sys.executable, "-c", textwrap.dedent(COUNT_ELSEWHERE)],
            check=True,
            cwd=Path(__file__).parents[2],
        )
    assert len(list(tmp_path.glob("histogram_*.db"))) == 2
    name = "exchange_http_request_seconds_count"
    assert scraped()[name, ("GET", "/elsewhere", "2xx")] == 2

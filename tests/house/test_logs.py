"""Log lines say for which request, task and auction they are."""

import json
import logging
from typing import Any

import pytest
import structlog
from django.conf import settings
from django.test import Client

from accounts.services.api_keys import issue_key
from exchange.config import logs, task_signals
from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.models import Auction
from exchange.tasks import move_auctions
from tests.exchange.markets import HOUR, bid_body, give_money, market
from tests.factories import OrganizationFactory, api_with


@pytest.fixture
def lines() -> Any:
    """Everything that is logged, as the lines' words."""
    written: list[dict[str, Any]] = []

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            written.append(json.loads(self.format(record)))

    keep = Keep()
    keep.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processor=structlog.processors.JSONRenderer(default=str), foreign_pre_chain=logs.shared
        )
    )
    logging.getLogger().addHandler(keep)
    yield written
    logging.getLogger().removeHandler(keep)


def test_a_line_of_the_standard_library_says_as_much_as_our_own(
    lines: list[dict[str, Any]],
) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r1", auction="auc_1"):
        logging.getLogger("somebody").warning("said %s", "this")
    (line,) = [line for line in lines if line["logger"] == "somebody"]
    assert (line["event"], line["level"]) == ("said this", "warning")
    assert (line["request_id"], line["auction"]) == ("r1", "auc_1")
    assert line["timestamp"]


@pytest.mark.django_db
def test_a_request_that_bids_is_logged_with_its_auction_and_bid(
    lines: list[dict[str, Any]],
) -> None:
    place = market()
    organization = OrganizationFactory.create(provides=False)
    give_money(organization.pk, 10**12)
    _, token = issue_key(organization, name="a test", scopes=["bids:write"])
    answer = api_with(token).post(
        "/api/v1/bids",
        bid_body(place.auction),
        headers={"Idempotency-Key": "k"},
    )
    assert answer.status_code == 201, answer.content
    (line,) = [line for line in lines if line["event"] == "request_finished"]
    assert (line["request_id"], line["auction"]) == (
        answer["X-Request-ID"],
        place.auction.public_id,
    )
    assert line["bid"] == answer.json()["id"]
    Client().get("/health/live")
    assert "auction" not in [line for line in lines if line["event"] == "request_finished"][-1]


@pytest.mark.django_db
def test_an_auction_s_steps_are_logged_with_its_id(lines: list[dict[str, Any]]) -> None:
    mark_as_play()
    place = market()
    set_market_time(place.auction.closes_at + HOUR / 60)
    task_signals.bind_ids("task-1", move_auctions)
    try:
        move_auctions.run()
    finally:
        task_signals.count_task("task-1", move_auctions, "SUCCESS")
    assert Auction.objects.get(pk=place.auction.pk).state == "closed"
    found = [line for line in lines if line["event"] == "close_auction: done"]
    assert [(line["auction"], line["task_id"]) for line in found] == [
        (place.auction.public_id, "task-1")
    ]
    assert not structlog.contextvars.get_contextvars().keys() & {"task_id", "auction"}


def test_a_task_carries_the_request_that_caused_it() -> None:
    headers: dict[str, Any] = {}
    task_signals.carry_ids(headers=headers)
    assert headers == {}
    with structlog.contextvars.bound_contextvars(request_id="r7"):
        task_signals.carry_ids(headers=headers)
    assert headers == {task_signals.CARRIED: "r7"}


def test_uvicorn_and_celery_write_through_our_chain() -> None:
    told: dict[str, Any] = dict(settings.LOGGING)
    assert told["loggers"]["uvicorn.error"] == {"handlers": [], "propagate": True}
    assert told["formatters"]["lines"]["foreign_pre_chain"] == "ext://exchange.config.logs.shared"

"""What OpenAPI says of orders is true: its examples create real objects."""

from datetime import timedelta
from typing import Any

import pytest

from exchange.api import bid_examples
from exchange.foundation.market_time import mark_as_play, set_market_time
from exchange.models import AiModel
from exchange.services.body_fields import parse_instant
from tests.api.test_bids import post
from tests.exchange.markets import (
    Market,
    auction_of,
    capacity_of,
    chip,
    give_money,
    market,
    series_of,
)
from tests.factories import api

pytestmark = pytest.mark.django_db
ORDERS = ("/bids", "/bid_previews", "/offers", "/capacity", "/maintenance", "/regions", "/models")


@pytest.fixture
def scene() -> Market:
    """The market of the examples: their chips, their model, their day."""
    start = parse_instant(bid_examples.WINDOW["starts_at"])
    assert start is not None
    mark_as_play()
    set_market_time(start - timedelta(hours=12))
    found = market()
    h100 = chip("h100-sxm5-80gb")
    chip("ascend-910b3", kind="npu", domestic=True, memory_gb=64)
    AiModel.objects.create(
        code="qwen2-5-72b-instruct",
        name="Qwen",
        params_total=72 * 10**9,
        modality="text",
        source="a test",
    )
    capacity_of(found.site, h100)
    auction_of(
        series_of("examples"),
        public_id=bid_examples.AUCTION,
        starts_at=start,
        ends_at=start + timedelta(hours=24),
        periods=24,
    )
    found.provider.buys = True
    found.provider.save()
    give_money(found.provider.pk, 10**13)
    return found


def examples_of(operation: dict[str, Any]) -> list[Any]:
    """Return the bodies that an operation shows."""
    contents = operation.get("requestBody", {}).get("content", {}).values()
    return [one["value"] for content in contents for one in content.get("examples", {}).values()]


def test_every_example_is_taken_by_its_own_door(scene: Market) -> None:
    client = api(scene.provider)
    schema = api().get("/api/schema", {"format": "json"}).json()
    posted = 0
    for path, operations in schema["paths"].items():
        if not path.removeprefix("/api/v1").startswith(ORDERS):
            continue
        for body in examples_of(operations.get("post", {})):
            answer = post(client, path, body)
            assert answer.status_code in (200, 201), (path, body, answer.content)
            assert answer.json().get("placed", 2) == 2
            posted += 1
    shown = len(bid_examples.BID_EXAMPLES)
    assert posted == 2 * shown + len(bid_examples.BULK_EXAMPLES) + 2

"""The buyers of the play: real jobs, as bids, over the exchange's own REST door."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any

from accounts.models import Organization
from accounts.models.roles import Scope
from accounts.services.api_keys import issue_key
from exchange.management.demo import platform
from exchange.management.demo.doors import Door, each
from exchange.management.demo.market_setup import midnight, tflops_of_chips
from exchange.management.demo.platform import SAMPLE, SAMPLE_DAY, Size
from exchange.management.traces.demand import draft_demand
from exchange.management.traces.drafts import BidDraft
from exchange.management.traces.sources import Prices, read_jobs
from exchange.models import Auction, Bid

BULK_MIN = 3  # a buyer with so many bids or more sends them in one request


def draft_bids(prices: Prices, size: Size) -> list[BidDraft]:
    """Return the bids of the sample's jobs."""
    jobs = read_jobs(SAMPLE / "jobs.csv", days=frozenset({SAMPLE_DAY}))[: size.jobs]
    return draft_demand(
        jobs, prices=prices, tflops=tflops_of_chips(), seed=platform.SEED, groups=True
    )


def place_bids(
    drafts: Sequence[BidDraft],
    buyers: Sequence[Organization],
    *,
    auction: Auction,
    day: date,
    door: Door,
    size: Size,
) -> tuple[int, int]:
    """Post what is not placed yet; return how many requests were single and how many in bulk."""
    there = set(Bid.objects.filter(auction=auction).values_list("label", flat=True))
    waiting = defaultdict(list)
    for draft in drafts:
        if draft.name not in there:
            row = int(draft.name[1:].rstrip("h"))
            body = body_of(draft, auction=auction.public_id, start=midnight(day))
            waiting[platform.buyer_of(row, size)].append(body)

    def send(number: int) -> bool:
        return _send(waiting[number], buyers[number], door=door)

    bulk = each(sorted(waiting), send)
    return sum(len(waiting[n]) for n, b in zip(sorted(waiting), bulk, strict=True) if not b), sum(
        bulk
    )


def _send(bodies: list[dict[str, Any]], buyer: Organization, *, door: Door) -> bool:
    """Send a buyer's bids, one by one or as one bulk; return whether it was a bulk."""
    _, token = issue_key(buyer, name="demo", scopes=[Scope.BIDS_READ, Scope.BIDS_WRITE])
    if len(bodies) < BULK_MIN:
        for body in bodies:
            door.post("/api/v1/bids", body, token=token, key=f"demo-{body['label']}")
        return False
    key = f"demo-bulk-{bodies[0]['label']}-{len(bodies)}"
    door.post("/api/v1/bids/bulk", {"atomic": True, "bids": bodies}, token=token, key=key)
    return True


def body_of(draft: BidDraft, *, auction: str, start: datetime) -> dict[str, Any]:
    """Return a draft as the body that the API takes; what is not set is left out."""
    body = {
        "auction": auction,
        "kind": draft.kind,
        "time_in_force": "auction",
        "origin": draft.origin,
        "starts_at": (start + timedelta(hours=draft.first)).isoformat(),
        "ends_at": (start + timedelta(hours=draft.end)).isoformat(),
        "quantity": str(draft.quantity),
        "limit_price": str(draft.price),
        "duration": _text(draft.duration),
        "volume": _text(draft.volume),
        "group": draft.group,
        "latency_ms_max": _text(draft.latency_ms_max),
        "gbps": str(draft.gbps),
        "renewable_share_min": _text(draft.renewable_min),
        "regions": list(draft.regions) or None,
        "accelerators": [
            {"accelerator": chip, "factor": str(factor)} for chip, factor in draft.choices
        ],
        "label": draft.name,
    }
    return {name: value for name, value in body.items() if value is not None}


def _text(value: object) -> str | None:
    return None if value is None else str(value)

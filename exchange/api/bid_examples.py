"""Bodies that OpenAPI shows, and that a test posts after naming an auction that is open.

``auc_...`` stands for the auction; the hours are those of its first day.
"""

from typing import Any, Final

AUCTION: Final = "auc_01jd3v9a6w8y2c5f7h1k3m5n7p"
WINDOW: Final = {"starts_at": "2026-11-24T00:00:00+08:00", "ends_at": "2026-11-24T04:00:00+08:00"}
PLACE: Final = {"auction": AUCTION, "time_in_force": "auction", "origin": "beijing", **WINDOW}

BID_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "inference, hour by hour": {
        **PLACE,
        "kind": "hourly",
        "quantity": "8",
        "limit_price": "18.500",
        "latency_ms_max": "10",
        "accelerators": [{"accelerator": "h100-sxm5-80gb", "factor": "1"}],
    },
    "a training gang, on one site without a gap": {
        **PLACE,
        "kind": "block",
        "quantity": "16",
        "duration": "3",
        "limit_price": "15.000",
        "group": "run-7",
        "accelerators": [
            {"accelerator": "h100-sxm5-80gb", "factor": "1"},
            {"accelerator": "ascend-910b3", "factor": "3.1"},
        ],
    },
    "batch work by a deadline": {
        **PLACE,
        "kind": "volume",
        "quantity": "4",
        "volume": "10",
        "limit_price": "12.250",
        "renewable_share_min": "0.3",
        "accelerators": [{"accelerator": "h100-sxm5-80gb", "factor": "1"}],
    },
    "replicas of an open model, on whatever it fits": {
        **PLACE,
        "kind": "hourly",
        "quantity": "2",
        "limit_price": "60.000",
        "model": "qwen2-5-72b-instruct",
        "dtype": "bf16",
    },
}
BULK_EXAMPLES: Final[dict[str, dict[str, Any]]] = {
    "two bids, each on its own": {"bids": list(BID_EXAMPLES.values())[:2], "atomic": False}
}

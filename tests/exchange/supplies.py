"""Small supplies and wishes for tests of previews."""

from typing import Any

import numpy as np

from exchange.queries.supply import LOTS, MICROS, UNLIMITED, Path, Supply, Want

HERE = Path(origin="beijing", region="beijing", latency_micros=1_000_000, gbps_micros=UNLIMITED)
FAR = Path(origin="beijing", region="guizhou", latency_micros=30_000_000, gbps_micros=2 * MICROS)


def offer(**changes: Any) -> dict[str, Any]:
    """Return one row of a supply: 8 chips at 2.000 in Beijing for four periods, unless changed."""
    return {
        "site": "bj-1",
        "region": "beijing",
        "accelerator": "h100",
        "renewable_micros": 300_000,
        "first": 0,
        "end": 4,
        "quantity_lots": 8 * LOTS,
        "price_ticks": 2_000,
    } | changes


def supply_of(*rows: dict[str, Any], paths: tuple[Path, ...] = (HERE, FAR)) -> Supply:
    """Return the supply with these rows, over four hours."""

    def column(name: str) -> Any:
        return np.array([row[name] for row in rows], dtype=np.int64)

    period = np.arange(4)
    running = (period >= column("first")[:, None]) & (period < column("end")[:, None])
    return Supply(
        periods=4,
        period_minutes=60,
        site=tuple(row["site"] for row in rows),
        region=tuple(row["region"] for row in rows),
        accelerator=tuple(row["accelerator"] for row in rows),
        paths=paths,
        tflops_micros={"h100": 990 * MICROS, "ascend": 320 * MICROS},
        renewable_micros=column("renewable_micros"),
        lots=np.where(running, column("quantity_lots")[:, None], 0),
        price_ticks=column("price_ticks"),
    )


def want_of(**changes: Any) -> Want:
    """Return a wish for four units at up to 3.000 in all four hours, unless changed."""
    plain: dict[str, Any] = {
        "kind": "hourly",
        "origin": "beijing",
        "quantity_lots": 4 * LOTS,
        "price_ticks": 3_000,
        "first": 0,
        "end": 4,
        "duration": 0,
        "volume_lots": 0,
        "latency_micros_max": None,
        "gbps_micros": 0,
        "regions": frozenset(),
        "renewable_micros_min": 0,
        "factors_micros": {"h100": MICROS},
    }
    return Want(**(plain | changes))

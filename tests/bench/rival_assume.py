"""Clears the orders in a folder by ASSUME; in a Python of its own, with nothing of this project.

``python rival_assume.py FOLDER`` prints one line of JSON: the seconds it took and the welfare.
"""

import json
import sys
import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pandas as pd
from assume.common.market_objects import MarketConfig, MarketProduct
from assume.markets.clearing_algorithms.complex_clearing import ComplexClearingRole
from dateutil.rrule import DAILY, rrule


def run_assume(folder: Path) -> dict[str, object]:
    """Clear by ASSUME's ``complex_clearing``: pay-as-clear with blocks of minimum acceptance 1."""
    given = json.loads((folder / "orders.json").read_text())
    start = datetime(2026, 1, 5)  # noqa: DTZ001  (it knows no time zones)
    hours = [start + timedelta(hours=hour) for hour in range(given["periods"] + 1)]
    nodes = [f"n{node}" for node in range(given["nodes"])]
    buses = pd.DataFrame(index=nodes)
    lines = pd.DataFrame({"bus0": nodes[0], "bus1": nodes[1:], "s_nom": float(given["link"])})
    role = ComplexClearingRole(
        MarketConfig(
            market_mechanism="complex_clearing",
            opening_hours=rrule(DAILY, dtstart=start, until=start + timedelta(days=1)),
            market_products=[MarketProduct(timedelta(hours=1), given["periods"], timedelta(0))],
            additional_fields=["bid_type", "node", "min_acceptance_ratio"],
            param_dict={"grid_data": {"buses": buses, "lines": lines}},
            maximum_bid_price=None,
            maximum_bid_volume=None,
        )
    )
    orders: list[dict[str, Any]] = []
    for node, period, volume, price in given["simple"]:
        orders.append(_order(len(orders), nodes[node], price, hours[period : period + 2]))
        orders[-1] |= {"bid_type": "SB", "volume": volume, "min_acceptance_ratio": None}
    for node, first, length, quantity, price in given["blocks"]:
        orders.append(_order(len(orders), nodes[node], price, hours[first : first + length + 1]))
        volumes = {hours[hour]: -quantity for hour in range(first, first + length)}
        orders[-1] |= {"bid_type": "BB", "volume": volumes, "min_acceptance_ratio": 1}
    products = [(hours[hour], hours[hour + 1], None) for hour in range(given["periods"])]
    begun = time.perf_counter()
    accepted, _, _, _ = role.clear(orders, products)
    seconds = time.perf_counter() - begun
    return {"seconds": seconds, "welfare": sum(_worth(order) for order in accepted)}


def _order(number: int, node: str, price: float, hours: list[datetime]) -> dict[str, Any]:
    names = {"bid_id": f"b{number}", "agent_addr": "bench", "node": node, "only_hours": None}
    return names | {"price": price, "start_time": hours[0], "end_time": hours[-1]}


def _worth(order: dict[str, Any]) -> float:
    volume = order["accepted_volume"]
    total = sum(volume.values()) if isinstance(volume, dict) else volume
    return -float(order["price"]) * float(total)


if __name__ == "__main__":
    print(json.dumps(run_assume(Path(sys.argv[1]))))

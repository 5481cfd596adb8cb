"""Reads, clears, audits and writes one book in a process of its own, and counts what binds.

``python -m tests.bench.national_run BOOK_FOLDER RESULT_FOLDER`` prints one line of JSON.
"""

import json
import resource
import sys
import time
from pathlib import Path

import numpy as np

from exchange.engine.audit import check
from exchange.engine.book import LOTS_PER_UNIT, UNLIMITED, Book, Floats
from exchange.engine.bound import unroll_windows
from exchange.engine.clearing import clear
from exchange.engine.desk import Stopwatch
from exchange.engine.files import read_book, write_result
from exchange.engine.outcome import Clearing

FULL = 0.999  # of a limit: whole lots leave some of it over


def run_book(book_folder: Path, result_folder: Path) -> dict[str, object]:
    """Give seconds by step, peak memory in bytes, the proof, and how many limits are full."""
    watch = Stopwatch(time.perf_counter)
    book = watch.run("read", lambda: read_book(book_folder))
    clearing = watch.run("clear", lambda: clear(book))
    audit = watch.run("audit", lambda: check(book, clearing))
    watch.run("write", lambda: write_result(book, clearing, result_folder))
    return {
        "seconds": watch.seconds,
        "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
        "gap": audit.gap,
        "failures": audit.counts,
        "rejected_winners": len(audit.rejected_winners),
        "orders": len(book.bids.names) + len(book.offers.names),
        **count_binding(book, clearing),
    }


def count_binding(book: Book, clearing: Clearing) -> dict[str, float]:
    """Count the full link-hours, the regions that are at their budget in some hour, and shares."""
    limited = book.link_gbps_micros != UNLIMITED
    full = limited & (_link_loads(book, clearing) >= FULL * book.link_gbps_micros / 1e6)
    powered = book.power_kw_micros != UNLIMITED
    drawn = powered & (_power_loads(book, clearing) >= FULL * book.power_kw_micros / 1e6)
    chip, lots = clearing.bid_fills.accelerator, clearing.bid_fills.quantity_lots
    work = book.accelerators.tflops_micros[chip] / 1e6 * lots
    domestic = work[book.accelerators.domestic[chip]].sum()
    return {
        "links_full": float(full.sum() / max(1, limited.sum())),
        "regions_at_budget": int(drawn.any(axis=1).sum()),
        "hours_at_budget": int(drawn.sum()),
        "domestic_share": float(domestic / max(1.0, work.sum())),
        "share_price": clearing.prices.domestic_share_nanos / 1e9,
    }


def _link_loads(book: Book, clearing: Clearing) -> Floats:
    fills, routes = clearing.bid_fills, book.routes
    row, place = unroll_windows(routes.link_start[fills.route], routes.link_start[fills.route + 1])
    gbps = book.bids.gbps_micros[fills.bid] / 1e6 * fills.quantity_lots / LOTS_PER_UNIT
    loads = np.zeros(book.link_gbps_micros.shape)
    np.add.at(loads, (routes.links[place], fills.period[row]), gbps[row])
    return loads


def _power_loads(book: Book, clearing: Clearing) -> Floats:
    fills = clearing.bid_fills
    kw = book.accelerators.watts_micros[fills.accelerator] / 1e9
    kw = kw * book.sites.pue_micros[fills.site] / 1e6 * fills.quantity_lots / LOTS_PER_UNIT
    loads = np.zeros(book.power_kw_micros.shape)
    np.add.at(loads, (book.sites.region[fills.site], fills.period), kw)
    return loads


if __name__ == "__main__":
    print(json.dumps(run_book(Path(sys.argv[1]), Path(sys.argv[2]))))

"""Against the best open engines: the same orders, in the same run, and what each of them checks.

ASSUME and SCIP are installed into a Python of the bench's own, ``.local/rivals``. Every engine is
given the orders in memory; what it builds of them is its own time. Ours is the whole clearing:
allocation, prices, whole lots, certificate. HiGHS is the one that our engine uses.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import numpy as np

from exchange.engine import audit
from exchange.engine.book import Book, Floats, Ints
from exchange.engine.clearing import clear
from exchange.engine.files import read_book
from exchange.engine.solver import Program, solve_lp, solve_mip
from tests.bench import shared_data
from tests.bench.rival_orders import (
    LINK_ACCELERATORS,
    NODES,
    PERIODS,
    Orders,
    as_book,
    as_program,
    draw_orders,
)
from tests.bench.tables import Table

PACKAGES: Final = ("assume-framework==0.6.0", "pyscipopt==6.3.0")
HOME: Final = Path(__file__).parents[2] / ".local" / "rivals"
FASTER_MIN: Final = 300
REPEATS: Final = 5
SECONDS_MAX: Final = 120.0  # for a solver that is given everything at once
PATIENCE: Final = 600.0  # for an engine in a process of its own
NANO: Final = 1e-9
CHECKS: Final = (
    ("no block loses at the prices", "yes, to the tick", "yes, to 1e-4", "no prices of blocks"),
    ("who would have gained is named", "yes", "no", "no"),
    ("prices by a stated rule", "yes: the middle of all that support", "a dual", "a dual, or none"),
    ("ties shared pro rata", "yes", "no", "no"),
    ("whole lots, supply equals demand exactly", "yes", "to 1e-6", "to 1e-6"),
    (
        "a bound that prices prove, over raw orders",
        "yes, in whole numbers",
        "no",
        "its own, in floats",
    ),
    ("the same bytes for rows in any order", "yes", "no", "no"),
    ("places, starts, volumes and groups to choose", "yes", "linked blocks", "what is modelled"),
)


def run() -> list[Table]:
    """Measure, and say what each engine checks."""
    return [_same_orders(), _italian_hours(), _checks()]


def _same_orders() -> Table:
    orders = draw_orders()
    simple, blocks = len(orders.offer_node) + len(orders.bid_node), len(orders.block_node)
    table = Table(
        f"{NODES} nodes, {PERIODS} hours, {simple:,} orders and {blocks:,} blocks: at least "
        f"{FASTER_MIN} times as fast as ASSUME, welfare at least as great",
        ["engine", "runs", "seconds (median)", "times ours", "welfare", "share of ours", "remark"],
    )
    ours, welfare, remark = _ours(as_book(orders))
    table.add("ours", REPEATS, f"{ours:.3f}", "1", f"{welfare:.2f}", "1", remark)
    for name, (seconds, found, about) in _rivals(orders).items():
        faster, share = seconds / ours, found / welfare
        judged = name.startswith("ASSUME")
        table.add(
            *(name, 1, f"{seconds:.3f}", f"{faster:.1f}", f"{found:.2f}", f"{share:.9f}", about),
            holds=not judged or (faster >= FASTER_MIN and share <= 1 + NANO),
        )
    return table


def _ours(book: Book) -> tuple[float, float, str]:
    clearing, seconds = clear(book), []
    for _ in range(REPEATS):
        begun = time.perf_counter()
        clearing = clear(book)
        seconds.append(time.perf_counter() - begun)
    found = audit.check(book, clearing)
    remark = f"gap {found.gap:.1e}, {len(found.rejected_winners)} winners rejected"
    if found.counts:
        remark += f", audit: {found.counts}"
    return statistics.median(seconds), float(clearing.welfare_micros) / 1e6, remark


def _rivals(orders: Orders) -> dict[str, tuple[float, float, str]]:
    """Give each rival's seconds, welfare, and what is to say of it."""
    program, whole = as_program(orders)
    integer = np.zeros(len(program.cost), dtype=np.bool_)
    integer[whole] = True
    begun = time.perf_counter()
    relaxed = solve_lp(program, presolve=True)
    answers = {
        "HiGHS, relaxed": (time.perf_counter() - begun, -relaxed.objective, "blocks in part"),
    }
    begun = time.perf_counter()
    best = solve_mip(program, integer, seconds=SECONDS_MAX)
    about = "the whole MILP, " + ("proved" if best.proved else f"bound {-best.bound:.2f}")
    answers["HiGHS"] = (time.perf_counter() - begun, -best.objective, about)
    python = _install()
    if python is None:
        print("ASSUME and SCIP could not be installed: not measured")
        return answers
    with tempfile.TemporaryDirectory() as folder:
        _write(Path(folder), orders, program, whole)
        scip = _ask(python, "scip", folder, str(SECONDS_MAX))
        about = "the whole MILP, " + ("proved" if scip["proved"] else f"bound {scip['bound']:.2f}")
        answers["SCIP"] = (scip["seconds"], scip["welfare"], about)
        assume = _ask(python, "assume", folder)
        answers["ASSUME complex_clearing"] = (assume["seconds"], assume["welfare"], PACKAGES[0])
    return answers


def _install() -> Path | None:
    """Make the rivals' Python, once; None where their packages cannot be had."""
    python, stamp = HOME / "bin" / "python", HOME / " ".join(PACKAGES)
    if not stamp.exists():
        subprocess.run([sys.executable, "-m", "venv", "--clear", str(HOME)], check=True)  # noqa: S603
        words = [str(python), "-m", "pip", "install", "--quiet", *PACKAGES]
        if subprocess.run(words, check=False).returncode:  # noqa: S603
            return None
        stamp.touch()
    return python


def _write(folder: Path, orders: Orders, program: Program, whole: Ints) -> None:
    def rows(*columns: Ints | Floats) -> list[list[float]]:
        table: list[list[float]] = np.stack(columns, axis=1).tolist()
        return table

    sold = (orders.offer_node, orders.offer_period, orders.offer_quantity, orders.offer_price / 1e3)
    bought = (orders.bid_node, orders.bid_period, -orders.bid_quantity, orders.bid_price / 1e3)
    places = (orders.block_node, orders.block_first, orders.block_duration)
    blocks = rows(*places, orders.block_quantity, orders.block_price / 1e3)
    simple = [
        [int(node), int(period), volume, price]
        for node, period, volume, price in rows(*sold) + rows(*bought)
    ]
    given = {
        "nodes": NODES,
        "periods": PERIODS,
        "link": LINK_ACCELERATORS,
        "simple": simple,
        "blocks": [[*map(int, block[:4]), block[4]] for block in blocks],
    }
    (folder / "orders.json").write_text(json.dumps(given))
    columns = {name: getattr(program, name) for name in Program.__slots__}
    np.savez(folder / "program.npz", integer=whole, **columns)


def _ask(python: Path, rival: str, *words: str) -> dict[str, float]:
    """Run a rival in its own Python; its answer is the last line that it prints."""
    script = Path(__file__).with_name(f"rival_{rival}.py")
    done = subprocess.run(  # noqa: S603
        [str(python), str(script), *words],
        cwd=words[0],  # ASSUME leaves a log where it runs
        check=True,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer


def _italian_hours() -> Table:
    heads = ["day", "orders", "ours, seconds (median)", "HiGHS, seconds (median)", "times", "share"]
    title = "Italian days: our clearing against HiGHS given each hour as one linear program"
    if not shared_data.there():
        return Table("Italian days: the data is not on this machine", heads)
    table = Table(title, heads)
    for folder in sorted((shared_data.FOLDER / "power-market-italy-2025-04").glob("italy-*")):
        book = read_book(folder)
        ours, welfare, _ = _ours(book)
        seconds, best = [], 0.0
        for _ in range(REPEATS):
            begun = time.perf_counter()
            programs = [hour_program(book, period) for period in range(book.periods)]
            best = -sum(solve_lp(program, presolve=True).objective for program in programs)
            seconds.append(time.perf_counter() - begun)
        rival = statistics.median(seconds)
        orders = len(book.bids.names) + len(book.offers.names)
        share = welfare / best
        table.add(
            *(folder.name, orders, f"{ours:.2f}", f"{rival:.2f}", f"{rival / ours:.2f}"),
            f"{share:.9f}",
            holds=share >= 1 - NANO,
        )
    return table


def hour_program(book: Book, period: int) -> Program:
    """Give one hour of a book of hourly bids, one accelerator, and routes that all may take.

    Rows: what each region's buyers get comes over its routes; what comes from each region is sold
    there; links. Columns: bids, offers, and the flow over each route.
    """
    bids, offers, routes = book.bids, book.offers, book.routes
    bid = np.flatnonzero((bids.first <= period) & (period < bids.end))
    offer = np.flatnonzero((offers.first <= period) & (period < offers.end))
    regions, links = len(book.regions), len(book.links)
    limit = book.link_gbps_micros[:, period] / 1e6
    hops = np.diff(routes.link_start)
    start = routes.link_start[:-1]
    over = [routes.links[first : first + count] for first, count in zip(start, hops, strict=True)]
    ends = [
        np.concatenate([[origin], [regions + region], 2 * regions + path])
        for origin, region, path in zip(routes.origin, routes.region, over, strict=True)
    ]
    signs = [np.concatenate([[-1.0, 1.0], np.ones(len(path))]) for path in over]
    index = [bids.origin[bid], regions + book.sites.region[offers.site[offer]], *ends]
    values = [np.ones(len(bid)), -np.ones(len(offer)), *signs]
    counts = np.concatenate([np.ones(len(bid) + len(offer), dtype=np.int64), hops + 2])
    asked, sold = bids.quantity_lots[bid] / 1e3, offers.quantity_lots[offer] / 1e3
    price = np.concatenate([-bids.price_ticks[bid], offers.price_ticks[offer]]) / 1e3
    free = np.full(len(hops), np.inf)
    return Program(
        cost=np.concatenate([price, np.zeros(len(hops))]),
        lower=np.zeros(len(counts)),
        upper=np.concatenate([asked, sold, free]),
        row_lower=np.concatenate([np.zeros(2 * regions), np.full(links, -np.inf)]),
        row_upper=np.concatenate([np.zeros(2 * regions), np.where(limit < 0, np.inf, limit)]),
        start=np.concatenate([[0], np.cumsum(counts)]),
        index=np.concatenate(index),
        value=np.concatenate(values),
    )


def _checks() -> Table:
    table = Table("What each checks", ["", "ours", "ASSUME complex_clearing", "HiGHS, SCIP"])
    for row in CHECKS:
        table.add(*row)
    return table

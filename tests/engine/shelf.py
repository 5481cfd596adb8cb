"""A small valid book that uses every column, and ways to put one on disk."""

from collections.abc import Mapping
from pathlib import Path

from exchange.engine.layout import BOOK_TABLES
from tests.engine.strategies import Draft

HEAD: Mapping[str, object] = {
    "format": "compute-order-book/1",
    "auction": "day-1",
    "currency": "CNY",
    "start": "2026-01-05T00:00:00+08:00",
    "period_minutes": 60,
    "periods": 4,
    "price_tick": "0.001",
    "price_cap": "100",
    "min_domestic_share": "0.25",
}

TABLES: Mapping[str, tuple[str, ...]] = {
    "regions.csv": ("east", "west"),
    "accelerators.csv": ("ascend,1,320,400", "h100,0,989.5,700"),
    "sites.csv": ("east-1,east,1.25,0.3", "west-1,west,1.1,0.8", "west-2,west,1.2,0.5"),
    "routes.csv": (
        "east-east,east,east,0.5,",
        "east-west,east,west,12,e>w",
        "west-west,west,west,0.5,",
        "west-east,west,east,12,w>m m>e",
    ),
    "links.csv": ("e>w,,1.5", "m>e,2,0.5"),
    "power.csv": ("east,0,50", "east,1,40.5"),
    "offers.csv": (
        "o1,east-1,h100,0,4,8,10.5",
        "o2,west-1,ascend,0,4,16.5,4.001",
        "o3,west-2,h100,1,3,4,9",
    ),
    "bids.csv": (
        "b1,hourly,east,2.5,12,0,4,,,5,0.01,,,",
        "b2,block,east,4,11.999,0,4,2,,,0.1,gang,,",
        "b3,block,east,6,7,0,3,3,,,0.1,gang,east west,0.25",
        "b4,volume,west,2,9.5,1,4,,5.5,20,,,west,",
    ),
    "bid_accelerators.csv": (
        "b1,h100,1",
        "b2,h100,1",
        "b3,ascend,1.5",
        "b4,ascend,0.3",
        "b4,h100,1",
    ),
}


def draft() -> Draft:
    """Give the small valid book, to be changed at will."""
    rows = {file: [tuple(line.split(",")) for line in lines] for file, lines in TABLES.items()}
    return Draft(dict(HEAD), rows)


def texts(book: Draft) -> dict[str, bytes]:
    """Give a draft as the bytes of its CSV files (``book.json`` apart)."""
    return {
        file: "\n".join([",".join(BOOK_TABLES[file]), *map(",".join, rows), ""]).encode()
        for file, rows in book.rows.items()
    }


def put_on_disk(files: Mapping[str, bytes], folder: Path) -> Path:
    """Write files into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for file, text in files.items():
        (folder / file).write_bytes(text)
    return folder

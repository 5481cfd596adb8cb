"""Small random books for property tests: every rule of the order language, few of each.

Prices and quantities come from short lists, so that ties, coincidences and zero prices are common.
"""

from dataclasses import dataclass, field

from hypothesis import strategies as st

from exchange.engine.book import Book
from exchange.engine.files import book_from_tables
from exchange.engine.layout import BOOK_TABLES

Row = tuple[str, ...]
Tables = dict[str, dict[str, list[str]]]

PRICES = ("0", "0.001", "1", "1.5", "2", "2.001", "3.333", "5", "10")
QUANTITIES = ("0.001", "0.5", "1", "2", "3", "4.25", "8")
WHOLE = ("1", "2", "3", "5", "8")
FACTORS = ("1", "1", "0.3", "1.5", "2", "0.333333")
SHARES = (None, None, "0", "0.3", "0.7", "1")


@dataclass(frozen=True, slots=True)
class Draft:
    """A book as it would stand in its files."""

    head: dict[str, object]
    rows: dict[str, list[Row]] = field(default_factory=dict)

    def tables(self) -> Tables:
        """Give the columns of each table."""
        return {
            file: {
                name: [row[place] for row in self.rows.get(file, [])]
                for place, name in enumerate(columns)
            }
            for file, columns in BOOK_TABLES.items()
        }

    def book(self) -> Book:
        """Read it."""
        return book_from_tables(self.head, self.tables())


def pick(*values: str) -> st.SearchStrategy[str]:
    """Draw one of some strings."""
    return st.sampled_from(values)


@st.composite
def drafts(
    draw: st.DrawFn, *, bids_max: int = 7, offers_max: int = 6, periods_max: int = 4
) -> Draft:
    """Draw a book: up to three regions, four sites, two accelerators and a few orders."""
    periods = draw(st.integers(1, periods_max))
    head: dict[str, object] = {
        "format": "compute-order-book/1",
        "auction": "small",
        "currency": "CNY",
        "start": "2026-01-05T00:00:00+08:00",
        "period_minutes": draw(st.sampled_from((60, 15, 1440))),
        "periods": periods,
        "price_tick": "0.001",
        "price_cap": "100",
        "min_domestic_share": draw(st.sampled_from(SHARES)),
    }
    draft = Draft(head)
    regions = [f"r{number}" for number in range(draw(st.integers(1, 3)))]
    draft.rows["regions.csv"] = [(region,) for region in regions]
    _draw_places(draw, draft, regions)
    links = _draw_routes(draw, draft, regions)
    _draw_limits(draw, draft, links, periods)
    offers = draw(st.integers(1, offers_max))
    draft.rows["offers.csv"] = [_draw_offer(draw, draft, name) for name in range(offers)]
    for name in range(draw(st.integers(1, bids_max))):
        _draw_bid(draw, draft, name)
    return draft


def small_books(
    *, bids_max: int = 7, offers_max: int = 6, periods_max: int = 4
) -> st.SearchStrategy[Book]:
    """Draw small books, read."""
    drawn = drafts(bids_max=bids_max, offers_max=offers_max, periods_max=periods_max)
    return drawn.map(Draft.book)


def tiny_books() -> st.SearchStrategy[Book]:
    """Draw books small enough to try every set of accepted blocks."""
    return small_books(bids_max=4, offers_max=4, periods_max=3)


def _draw_places(draw: st.DrawFn, draft: Draft, regions: list[str]) -> None:
    draft.rows["accelerators.csv"] = [
        ("a0", "1", draw(pick("1", "100", "320.5")), draw(pick("0", "400"))),
        ("a1", "0", draw(pick("1", "312")), draw(pick("0", "700", "350.5"))),
    ]
    draft.rows["sites.csv"] = [
        (f"s{name}", draw(pick(*regions)), draw(pick("1", "1.25")), draw(pick("0", "0.5", "0.9")))
        for name in range(draw(st.integers(1, 4)))
    ]


def _draw_routes(draw: st.DrawFn, draft: Draft, regions: list[str]) -> list[str]:
    """Draw routes inside and between regions; a pair may have none, one or two."""
    rows: list[Row] = []
    links = [f"{start}>{end}" for start in regions for end in regions if start != end]
    for start in regions:
        for end in regions:
            if start == end:
                rows.append((f"{start}:{end}", start, end, "0.5", ""))
                continue
            ways = draw(st.integers(0, 2))
            through = [region for region in regions if region not in (start, end)]
            if ways > 0:
                rows.append((f"{start}:{end}", start, end, draw(pick("4", "9")), f"{start}>{end}"))
            if ways > 1 and through:
                path = f"{start}>{through[0]} {through[0]}>{end}"
                rows.append((f"{start}:{end}:via", start, end, "12.25", path))
    draft.rows["routes.csv"] = rows
    return links


def _draw_limits(draw: st.DrawFn, draft: Draft, links: list[str], periods: int) -> None:
    if draw(st.integers(0, 1)) and links:
        limited: list[str] = draw(st.lists(pick(*links), unique=True, max_size=3))
        draft.rows["links.csv"] = [
            (link, draw(pick("", "0")), draw(pick("0", "0.1", "0.5", "2"))) for link in limited
        ]
    if draw(st.integers(0, 3)) == 0:
        region = draft.rows["sites.csv"][0][1]
        draft.rows["power.csv"] = [
            (region, str(period), draw(pick("0", "0.5", "1", "2.5"))) for period in range(periods)
        ]


def _draw_window(draw: st.DrawFn, draft: Draft, least: int = 1) -> tuple[int, int]:
    periods = draft.head["periods"]
    assert isinstance(periods, int)
    first = draw(st.integers(0, periods - least))
    return first, draw(st.integers(first + least, periods))


def _draw_offer(draw: st.DrawFn, draft: Draft, name: int) -> Row:
    first, end = _draw_window(draw, draft)
    site = draw(st.sampled_from(draft.rows["sites.csv"]))[0]
    return (
        f"o{name}",
        site,
        draw(pick("a0", "a1")),
        str(first),
        str(end),
        draw(pick(*QUANTITIES)),
        draw(pick(*PRICES[:7])),
    )


def _draw_bid(draw: st.DrawFn, draft: Draft, name: int) -> None:
    periods = draft.head["periods"]
    assert isinstance(periods, int)
    kind = draw(pick("hourly", "block", "volume"))
    duration = draw(st.integers(1, periods)) if kind == "block" else 1
    first, end = _draw_window(draw, draft, duration)
    quantity = draw(pick(*(WHOLE if kind == "block" else QUANTITIES)))
    volume = f"{float(quantity) * draw(st.integers(1, end - first)):.3f}"
    regions = [row[0] for row in draft.rows["regions.csv"]]
    draft.rows.setdefault("bids.csv", []).append(
        (
            f"b{name}",
            kind,
            draw(pick(*regions)),
            quantity,
            draw(pick(*PRICES)),
            str(first),
            str(end),
            str(duration) if kind == "block" else "",
            volume if kind == "volume" else "",
            draw(pick("", "", "0.5", "4", "20")),
            draw(pick("", "0", "0.01", "0.1")),
            draw(pick("", "g0", "g1")) if kind == "block" else "",
            draw(pick("", "", "", regions[0])),
            draw(pick("", "", "", "0.5")),
        )
    )
    chips = draw(st.sampled_from((("a0",), ("a1",), ("a0", "a1"))))
    draft.rows.setdefault("bid_accelerators.csv", []).extend(
        (f"b{name}", chip, draw(pick(*FACTORS))) for chip in chips
    )

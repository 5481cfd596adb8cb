from exchange.models.auctions import (
    AUCTION_MOVES,
    Auction,
    AuctionSeries,
    AuctionState,
    Horizon,
)
from exchange.models.bids import BID_MOVES, Bid, BidKind, BidState, TimeInForce
from exchange.models.books import BidEntry, OfferEntry
from exchange.models.cases import (
    CASE_MOVES,
    CaseDeed,
    CaseEntry,
    CaseOutcome,
    CaseState,
    FindingKind,
    WatchCase,
)
from exchange.models.chips import Accelerator, AcceleratorKind, AiModel, Grade
from exchange.models.events import MarketEvent
from exchange.models.halts import (
    MEASURE_MOVES,
    MarketFreeze,
    Measure,
    MeasureKind,
    MeasureState,
)
from exchange.models.limits import PositionLimit
from exchange.models.network import Link, PowerBudget, Region, Route
from exchange.models.offers import OFFER_MOVES, Offer, OfferState, OfferVersion
from exchange.models.results import (
    Answer,
    BidAnswer,
    BidFill,
    CellPrice,
    ClearingResult,
    LinkPrice,
    OfferFill,
    PowerPrice,
)
from exchange.models.sites import MaintenanceWindow, Site, SiteCapacity

__all__ = [
    "AUCTION_MOVES",
    "BID_MOVES",
    "CASE_MOVES",
    "MEASURE_MOVES",
    "OFFER_MOVES",
    "Accelerator",
    "AcceleratorKind",
    "AiModel",
    "Answer",
    "Auction",
    "AuctionSeries",
    "AuctionState",
    "Bid",
    "BidAnswer",
    "BidEntry",
    "BidFill",
    "BidKind",
    "BidState",
    "CaseDeed",
    "CaseEntry",
    "CaseOutcome",
    "CaseState",
    "CellPrice",
    "ClearingResult",
    "FindingKind",
    "Grade",
    "Horizon",
    "Link",
    "LinkPrice",
    "MaintenanceWindow",
    "MarketEvent",
    "MarketFreeze",
    "Measure",
    "MeasureKind",
    "MeasureState",
    "Offer",
    "OfferEntry",
    "OfferFill",
    "OfferState",
    "OfferVersion",
    "PositionLimit",
    "PowerBudget",
    "PowerPrice",
    "Region",
    "Route",
    "Site",
    "SiteCapacity",
    "TimeInForce",
    "WatchCase",
]

from settlement.models.contracts import CONTRACT_MOVES, Contract, ContractMove, ContractState
from settlement.models.delivery import (
    PERIOD_MOVES,
    DeliveryPeriod,
    PeriodState,
    RunKind,
    SettlementRun,
)
from settlement.models.disputes import DISPUTE_MOVES, Dispute, DisputeState
from settlement.models.holds import Hold, HoldRelease
from settlement.models.ledger import AccountKind, LedgerAccount
from settlement.models.metering import (
    Device,
    DeviceAssignment,
    Meter,
    Party,
    Reading,
    ReadingConflict,
    ReadingEvent,
    ReadingStream,
)
from settlement.models.statements import (
    STATEMENT_MOVES,
    LineKind,
    Side,
    Statement,
    StatementLine,
    StatementState,
)
from settlement.models.transfers import Batch, Transfer, TransferCode

__all__ = [
    "CONTRACT_MOVES",
    "DISPUTE_MOVES",
    "PERIOD_MOVES",
    "STATEMENT_MOVES",
    "AccountKind",
    "Batch",
    "Contract",
    "ContractMove",
    "ContractState",
    "DeliveryPeriod",
    "Device",
    "DeviceAssignment",
    "Dispute",
    "DisputeState",
    "Hold",
    "HoldRelease",
    "LedgerAccount",
    "LineKind",
    "Meter",
    "Party",
    "PeriodState",
    "Reading",
    "ReadingConflict",
    "ReadingEvent",
    "ReadingStream",
    "RunKind",
    "SettlementRun",
    "Side",
    "Statement",
    "StatementLine",
    "StatementState",
    "Transfer",
    "TransferCode",
]

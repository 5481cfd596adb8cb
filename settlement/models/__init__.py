from settlement.models.access import AccessNote, AccessNoteRead
from settlement.models.audit_results import AuditResult
from settlement.models.cash import (
    DEPOSIT_MOVES,
    PAYOUT_MOVES,
    Deposit,
    DepositState,
    Payout,
    PayoutState,
)
from settlement.models.contracts import (
    CONTRACT_MOVES,
    Contract,
    ContractMove,
    ContractState,
    ExcusedOutage,
)
from settlement.models.credit_notes import CreditNote
from settlement.models.delivery import (
    PERIOD_MOVES,
    DeliveryPeriod,
    PeriodState,
    RunKind,
    SettlementRun,
)
from settlement.models.disputes import DISPUTE_MOVES, Dispute, DisputeEvidence, DisputeState
from settlement.models.grid_factors import GridFactor
from settlement.models.holds import Hold, HoldRelease
from settlement.models.ledger import AccountKind, LedgerAccount
from settlement.models.low_money import LowMoney
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
from settlement.models.projects import BudgetAlert, Project
from settlement.models.resales import RESALE_MOVES, Resale, ResaleState
from settlement.models.risk import Collateral, CollateralRate, CreditLine
from settlement.models.statements import (
    STATEMENT_MOVES,
    LineKind,
    Side,
    Statement,
    StatementLine,
    StatementState,
)
from settlement.models.taxes import StatementTax, Supply, TaxRate
from settlement.models.transfers import Batch, Transfer, TransferCode

__all__ = [
    "CONTRACT_MOVES",
    "DEPOSIT_MOVES",
    "DISPUTE_MOVES",
    "PAYOUT_MOVES",
    "PERIOD_MOVES",
    "RESALE_MOVES",
    "STATEMENT_MOVES",
    "AccessNote",
    "AccessNoteRead",
    "AccountKind",
    "AuditResult",
    "Batch",
    "BudgetAlert",
    "Collateral",
    "CollateralRate",
    "Contract",
    "ContractMove",
    "ContractState",
    "CreditLine",
    "CreditNote",
    "DeliveryPeriod",
    "Deposit",
    "DepositState",
    "Device",
    "DeviceAssignment",
    "Dispute",
    "DisputeEvidence",
    "DisputeState",
    "ExcusedOutage",
    "GridFactor",
    "Hold",
    "HoldRelease",
    "LedgerAccount",
    "LineKind",
    "LowMoney",
    "Meter",
    "Party",
    "Payout",
    "PayoutState",
    "PeriodState",
    "Project",
    "Reading",
    "ReadingConflict",
    "ReadingEvent",
    "ReadingStream",
    "Resale",
    "ResaleState",
    "RunKind",
    "SettlementRun",
    "Side",
    "Statement",
    "StatementLine",
    "StatementState",
    "StatementTax",
    "Supply",
    "TaxRate",
    "Transfer",
    "TransferCode",
]

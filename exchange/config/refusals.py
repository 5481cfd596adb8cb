"""How each refusal of the domain reads over HTTP. The whole list, in one place."""

from http import HTTPStatus

from accounts.services.api_keys import (
    MeterScopes,
    ScopeNotHeld,
    TooManyKeys,
    UnknownRate,
    UnknownScope,
)
from accounts.services.applications import NotForApplications
from accounts.services.invitations import AccountExists, InvitationGone, NotInvited
from accounts.services.members import AlreadyMember, LastOwner, NotAnOwner, TooManyMembers
from accounts.services.organizations import ReasonMissing
from accounts.services.relations import AlreadyRelated, RelationMalformed, RelationOver
from accounts.services.webhook_endpoints import (
    EndpointNotEnabled,
    EndpointRefused,
    NotForWebhooks,
    TooManyEndpoints,
)
from exchange.foundation.states import IllegalMove, LostRace
from exchange.services.auctions import AuctionNotVoidable
from exchange.services.bids import BidNotFound, BidNotLive
from exchange.services.bulk_bids import BulkRefused
from exchange.services.cases import CaseMalformed, FindingGone
from exchange.services.csv_rows import FileRefused
from exchange.services.faults import TermsRefused
from exchange.services.freezes import MarketAlreadyFrozen, MarketNotFrozen
from exchange.services.gates import AuctionNotOpen, MarketFrozen, PartHalted
from exchange.services.maintenance import MaintenanceNotFound
from exchange.services.measures import MeasureMalformed, MeasureNotFound
from exchange.services.offers import (
    CapacityExceeded,
    OfferChanged,
    OfferNotFound,
    OfferNotLive,
)
from exchange.services.position_limits import PositionLimitExceeded
from settlement.services.access_notes import (
    ContractOver,
    NoteMalformed,
    NoteMissing,
    NotTheBuyer,
    NotTheProvider,
)
from settlement.services.budgets import BudgetExceeded, UnknownProject
from settlement.services.collateral import CollateralMissing, RateOutOfRange
from settlement.services.contract_life import (
    CurtailmentEmpty,
    NotAParty,
    NotConfirmable,
    NothingToReclaim,
)
from settlement.services.credit_lines import CreditInUse, CreditOutOfRange
from settlement.services.credit_notes import AlreadyCredited, StatementNotFinal
from settlement.services.deposits import DepositDiffers, DepositOutOfRange, NotAnOperator
from settlement.services.disputes import (
    AlreadyDisputed,
    BadRuling,
    DisputeTooLate,
    NotDisputable,
)
from settlement.services.enrolment import DeviceTaken, WrongDevice
from settlement.services.four_eyes import OwnRequest
from settlement.services.handover import (
    EnrolmentMalformed,
    NotAssigned,
    NotForMeters,
    OutsideContract,
    TooManyMeters,
)
from settlement.services.holds import InsufficientFunds
from settlement.services.metering import BatchTooLong, MeterRevoked, NotAMeter
from settlement.services.payouts import PayoutNotFound, PayoutOutOfRange
from settlement.services.projects import ProjectExists, ProjectNotFound
from settlement.services.resale_markets import MarketRefuses
from settlement.services.resales import (
    BadNewBuyer,
    HoursTaken,
    NotResellable,
    NotTheNewBuyer,
    NotTheReseller,
    ResaleInBook,
    ResaleLapsed,
    ResaleOutside,
    TooManyResales,
)
from settlement.services.resold_moves import DeliveredUnderAnother

REFUSALS: dict[type[Exception], tuple[HTTPStatus, str]] = {
    # Any row with a state
    IllegalMove: (HTTPStatus.CONFLICT, "illegal_move"),
    LostRace: (HTTPStatus.CONFLICT, "lost_race"),
    # Who
    ReasonMissing: (HTTPStatus.UNPROCESSABLE_ENTITY, "reason_missing"),
    NotAnOwner: (HTTPStatus.FORBIDDEN, "not_an_owner"),
    LastOwner: (HTTPStatus.CONFLICT, "last_owner"),
    AlreadyMember: (HTTPStatus.CONFLICT, "already_member"),
    TooManyMembers: (HTTPStatus.CONFLICT, "too_many_members"),
    UnknownScope: (HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_scope"),
    ScopeNotHeld: (HTTPStatus.FORBIDDEN, "scope_not_held"),
    MeterScopes: (HTTPStatus.UNPROCESSABLE_ENTITY, "meter_scopes"),
    TooManyKeys: (HTTPStatus.CONFLICT, "too_many_keys"),
    UnknownRate: (HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_rate"),
    NotForApplications: (HTTPStatus.FORBIDDEN, "not_for_applications"),
    InvitationGone: (HTTPStatus.NOT_FOUND, "invitation_gone"),
    NotInvited: (HTTPStatus.FORBIDDEN, "not_invited"),
    AccountExists: (HTTPStatus.CONFLICT, "account_exists"),
    # Webhooks
    NotForWebhooks: (HTTPStatus.FORBIDDEN, "not_for_webhooks"),
    EndpointRefused: (HTTPStatus.UNPROCESSABLE_ENTITY, "endpoint_refused"),
    TooManyEndpoints: (HTTPStatus.CONFLICT, "too_many_endpoints"),
    EndpointNotEnabled: (HTTPStatus.CONFLICT, "endpoint_not_enabled"),
    # Orders
    TermsRefused: (HTTPStatus.BAD_REQUEST, "validation_failed"),
    FileRefused: (HTTPStatus.BAD_REQUEST, "file_refused"),
    BulkRefused: (HTTPStatus.UNPROCESSABLE_ENTITY, "bulk_refused"),
    AuctionNotOpen: (HTTPStatus.CONFLICT, "auction_not_open"),
    PartHalted: (HTTPStatus.CONFLICT, "part_halted"),
    MarketFrozen: (HTTPStatus.SERVICE_UNAVAILABLE, "market_frozen"),
    BidNotFound: (HTTPStatus.NOT_FOUND, "bid_not_found"),
    BidNotLive: (HTTPStatus.CONFLICT, "bid_not_live"),
    OfferNotFound: (HTTPStatus.NOT_FOUND, "offer_not_found"),
    OfferNotLive: (HTTPStatus.CONFLICT, "offer_not_live"),
    OfferChanged: (HTTPStatus.PRECONDITION_FAILED, "offer_changed"),
    CapacityExceeded: (HTTPStatus.CONFLICT, "capacity_exceeded"),
    MaintenanceNotFound: (HTTPStatus.NOT_FOUND, "maintenance_not_found"),
    # The market
    AuctionNotVoidable: (HTTPStatus.CONFLICT, "auction_not_voidable"),
    MarketAlreadyFrozen: (HTTPStatus.CONFLICT, "market_already_frozen"),
    MarketNotFrozen: (HTTPStatus.CONFLICT, "market_not_frozen"),
    AlreadyRelated: (HTTPStatus.CONFLICT, "already_related"),
    RelationMalformed: (HTTPStatus.UNPROCESSABLE_ENTITY, "relation_malformed"),
    RelationOver: (HTTPStatus.CONFLICT, "relation_over"),
    FindingGone: (HTTPStatus.CONFLICT, "finding_gone"),
    CaseMalformed: (HTTPStatus.UNPROCESSABLE_ENTITY, "case_malformed"),
    MeasureNotFound: (HTTPStatus.NOT_FOUND, "measure_not_found"),
    MeasureMalformed: (HTTPStatus.UNPROCESSABLE_ENTITY, "measure_malformed"),
    # Money
    InsufficientFunds: (HTTPStatus.PAYMENT_REQUIRED, "insufficient_funds"),
    CreditInUse: (HTTPStatus.CONFLICT, "credit_in_use"),
    CreditOutOfRange: (HTTPStatus.UNPROCESSABLE_ENTITY, "credit_out_of_range"),
    CollateralMissing: (HTTPStatus.PAYMENT_REQUIRED, "collateral_missing"),
    RateOutOfRange: (HTTPStatus.UNPROCESSABLE_ENTITY, "rate_out_of_range"),
    PositionLimitExceeded: (HTTPStatus.CONFLICT, "position_limit"),
    UnknownProject: (HTTPStatus.UNPROCESSABLE_ENTITY, "project_unknown"),
    BudgetExceeded: (HTTPStatus.PAYMENT_REQUIRED, "budget_exceeded"),
    ProjectExists: (HTTPStatus.CONFLICT, "project_exists"),
    ProjectNotFound: (HTTPStatus.NOT_FOUND, "project_not_found"),
    NotAnOperator: (HTTPStatus.FORBIDDEN, "not_an_operator"),
    OwnRequest: (HTTPStatus.FORBIDDEN, "own_request"),
    DepositDiffers: (HTTPStatus.CONFLICT, "deposit_differs"),
    DepositOutOfRange: (HTTPStatus.UNPROCESSABLE_ENTITY, "deposit_out_of_range"),
    PayoutNotFound: (HTTPStatus.NOT_FOUND, "payout_not_found"),
    PayoutOutOfRange: (HTTPStatus.UNPROCESSABLE_ENTITY, "payout_out_of_range"),
    # Statements
    StatementNotFinal: (HTTPStatus.CONFLICT, "statement_not_final"),
    AlreadyCredited: (HTTPStatus.CONFLICT, "already_credited"),
    # Meters
    NotAMeter: (HTTPStatus.FORBIDDEN, "not_a_meter"),
    MeterRevoked: (HTTPStatus.FORBIDDEN, "meter_revoked"),
    BatchTooLong: (HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "batch_too_long"),
    DeviceTaken: (HTTPStatus.CONFLICT, "device_taken"),
    WrongDevice: (HTTPStatus.UNPROCESSABLE_ENTITY, "wrong_device"),
    # Hand-over
    NotForMeters: (HTTPStatus.FORBIDDEN, "not_for_meters"),
    TooManyMeters: (HTTPStatus.CONFLICT, "too_many_meters"),
    EnrolmentMalformed: (HTTPStatus.UNPROCESSABLE_ENTITY, "enrolment_malformed"),
    OutsideContract: (HTTPStatus.UNPROCESSABLE_ENTITY, "outside_contract"),
    NotAssigned: (HTTPStatus.CONFLICT, "not_assigned"),
    NotTheProvider: (HTTPStatus.FORBIDDEN, "not_the_provider"),
    NotTheBuyer: (HTTPStatus.FORBIDDEN, "not_the_buyer"),
    NoteMissing: (HTTPStatus.NOT_FOUND, "note_missing"),
    NoteMalformed: (HTTPStatus.UNPROCESSABLE_ENTITY, "note_malformed"),
    ContractOver: (HTTPStatus.CONFLICT, "contract_over"),
    # Contracts
    NotAParty: (HTTPStatus.FORBIDDEN, "not_a_party"),
    NotConfirmable: (HTTPStatus.CONFLICT, "not_confirmable"),
    NothingToReclaim: (HTTPStatus.CONFLICT, "nothing_to_reclaim"),
    CurtailmentEmpty: (HTTPStatus.UNPROCESSABLE_ENTITY, "curtailment_empty"),
    DeliveredUnderAnother: (HTTPStatus.CONFLICT, "delivered_under_another"),
    # Resales
    NotTheReseller: (HTTPStatus.FORBIDDEN, "not_the_reseller"),
    NotTheNewBuyer: (HTTPStatus.FORBIDDEN, "not_the_new_buyer"),
    NotResellable: (HTTPStatus.CONFLICT, "not_resellable"),
    ResaleOutside: (HTTPStatus.UNPROCESSABLE_ENTITY, "resale_outside"),
    HoursTaken: (HTTPStatus.CONFLICT, "hours_taken"),
    BadNewBuyer: (HTTPStatus.UNPROCESSABLE_ENTITY, "bad_new_buyer"),
    TooManyResales: (HTTPStatus.CONFLICT, "too_many_resales"),
    ResaleLapsed: (HTTPStatus.CONFLICT, "resale_lapsed"),
    MarketRefuses: (HTTPStatus.CONFLICT, "market_refuses"),
    ResaleInBook: (HTTPStatus.CONFLICT, "resale_in_book"),
    # Disputes
    NotDisputable: (HTTPStatus.CONFLICT, "not_disputable"),
    DisputeTooLate: (HTTPStatus.CONFLICT, "dispute_too_late"),
    AlreadyDisputed: (HTTPStatus.CONFLICT, "already_disputed"),
    BadRuling: (HTTPStatus.UNPROCESSABLE_ENTITY, "bad_ruling"),
}

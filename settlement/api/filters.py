"""What lists of contracts and transfers may be cut to."""

import django_filters
from django.db.models import Q, QuerySet

from settlement.models import (
    Contract,
    ContractState,
    Dispute,
    DisputeState,
    Payout,
    PayoutState,
    Resale,
    ResaleState,
    Transfer,
    TransferCode,
)

KINDS = [(code.name.lower(), code.label) for code in TransferCode]


class ContractFilters(django_filters.FilterSet):  # type: ignore[misc]  # it has no stubs
    """Contracts by their state, auction, bid, place, chip and time."""

    state = django_filters.MultipleChoiceFilter(choices=ContractState.choices)
    auction = django_filters.CharFilter("auction_id")
    bid = django_filters.CharFilter("bid_id")
    site = django_filters.CharFilter("site_code")
    region = django_filters.CharFilter("region_code")
    accelerator = django_filters.CharFilter("accelerator_code")
    buyer = django_filters.CharFilter("buyer__public_id")
    provider = django_filters.CharFilter("provider__public_id")
    ends_after = django_filters.IsoDateTimeFilter("ends_at", lookup_expr="gt")
    starts_before = django_filters.IsoDateTimeFilter("starts_at", lookup_expr="lt")

    class Meta:
        model = Contract
        fields: list[str] = []


class TransferFilters(django_filters.FilterSet):  # type: ignore[misc]  # it has no stubs
    """Transfers by their kind, contract, hold and time."""

    kind = django_filters.MultipleChoiceFilter(choices=KINDS, method="of_kinds")
    contract = django_filters.CharFilter("period__contract__public_id")
    auction = django_filters.CharFilter(method="of_auction")
    hold = django_filters.CharFilter("hold__key")
    from_time = django_filters.IsoDateTimeFilter("event_at", lookup_expr="gte")
    before = django_filters.IsoDateTimeFilter("event_at", lookup_expr="lt")

    class Meta:
        model = Transfer
        fields: list[str] = []

    def of_kinds(
        self, transfers: QuerySet[Transfer], name: str, kinds: list[str]
    ) -> QuerySet[Transfer]:
        """Cut to transfers of these kinds; none named: all."""
        codes = [TransferCode[kind.upper()] for kind in kinds]
        return transfers.filter(code__in=codes) if codes else transfers

    def of_auction(
        self, transfers: QuerySet[Transfer], name: str, auction: str
    ) -> QuerySet[Transfer]:
        """Cut to what one auction's contracts moved, and what passed on to the house."""
        passed = {"kind": "clearing", "reference": auction}
        return transfers.filter(
            Q(period__contract__auction_id=auction)
            | Q(**{f"debit__{name}": value for name, value in passed.items()})
            | Q(**{f"credit__{name}": value for name, value in passed.items()})
        )


class DisputeFilters(django_filters.FilterSet):  # type: ignore[misc]  # it has no stubs
    """Disputes by their state and contract."""

    state = django_filters.MultipleChoiceFilter(choices=DisputeState.choices)
    contract = django_filters.CharFilter("period__contract__public_id")

    class Meta:
        model = Dispute
        fields: list[str] = []


class ResaleFilters(django_filters.FilterSet):  # type: ignore[misc]  # it has no stubs
    """Resales by their state, contract, and whom they are offered to."""

    state = django_filters.MultipleChoiceFilter(choices=ResaleState.choices)
    contract = django_filters.CharFilter("contract__public_id")
    buyer = django_filters.CharFilter("buyer__public_id")

    class Meta:
        model = Resale
        fields: list[str] = []


class PayoutFilters(django_filters.FilterSet):  # type: ignore[misc]  # it has no stubs
    """Payouts by their state."""

    state = django_filters.MultipleChoiceFilter(choices=PayoutState.choices)

    class Meta:
        model = Payout
        fields: list[str] = []

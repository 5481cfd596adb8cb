"""One organization with one of everything, and a client for each kind of caller."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.test import Client
from rest_framework.test import APIClient

from accounts.models import Organization, Role
from accounts.models.roles import APPROVES, KIND_OF_SCOPE, OWNS, READS, TRADES, Kind
from accounts.services.api_keys import issue_key
from accounts.services.invitations import invite
from accounts.services.relations import enter_relation
from accounts.services.webhook_endpoints import send_test
from exchange.models import AiModel
from exchange.services.bids import place_bid
from exchange.services.freezes import freeze_market
from exchange.services.maintenance import plan_maintenance
from exchange.services.measures import ask_halt
from exchange.services.offers import create_offer
from settlement.models import (
    AccountKind,
    Dispute,
    Party,
    Resale,
    Side,
    Statement,
    Transfer,
)
from settlement.queries.hours import hour_of
from settlement.services.access_notes import write_note
from settlement.services.credit_notes import credit_statement
from settlement.services.enrolment import enroll_meter
from settlement.services.handover import Machines, add_devices
from settlement.services.payouts import BankAccount, ask_payout
from settlement.services.projects import open_project
from settlement.services.statements import finalize_statement
from tests.accounts.endpoints import an_endpoint
from tests.exchange.markets import at, bid_body, give_money, market, offer_body, region_of
from tests.exchange.watched import a_case
from tests.factories import (
    MembershipFactory,
    OrganizationFactory,
    api,
    api_with,
    auditor,
    caller,
    member,
    operator,
    portal,
)
from tests.settlement.agreements import a_contract

ALL = READS | TRADES | OWNS
Callers = dict[str, Client | APIClient]  # by their names in the table


@dataclass(frozen=True)
class Scene:
    """The organization, the public id of each thing that it has, and who may ask for them."""

    own: Organization
    ids: dict[str, str]
    clients: dict[bool, Callers]  # of the API, and not: of the portal


def scene() -> Scene:
    """Return an organization that provides and buys, with one of everything."""
    place = market()
    own, auction = place.provider, place.auction
    own.buys = True
    own.save(update_fields=["buys"])
    give_money(own.pk, 10**12)
    who = caller(own)
    window = {"site": "bj-1", "starts_at": at(auction, 0), "ends_at": at(auction, 1)}
    key, _ = issue_key(own, name="desk", scopes=["bids:read"])
    statement = Statement.objects.create(
        organization=own,
        side=Side.BUYER,
        currency="CNY",
        starts_at=auction.starts_at,
        ends_at=auction.ends_at,
        series="a",
    )
    owner = member(own)
    contract = a_contract(own, own)
    write_note(contract, "ssh", actor=owner)
    meter, token = enroll_meter(own, party=Party.PROVIDER, site_code="bj-1", now=auction.opens_at)
    machines = Machines(
        site_code="bj-1", accelerator_code="h100", serials=["a"], capacity_lots=1_000
    )
    (device,) = add_devices(machines, actor=owner)
    endpoint, _ = an_endpoint(owner=owner)
    month_over = auction.opens_at - timedelta(days=2)
    taken_back = Statement.objects.create(
        organization=own,
        side=Side.PROVIDER,
        currency="CNY",
        starts_at=month_over - timedelta(days=30),
        ends_at=month_over,
        series="P2026",
    )
    finalize_statement(taken_back, now=month_over)
    credit_statement(taken_back, "a test", caller(operator()))
    things: dict[str, Any] = {
        "bid": place_bid(bid_body(auction), caller=who),
        "offer": create_offer(offer_body(auction, quantity="1"), caller=who),
        "window": plan_maintenance(window | {"reason": "a test"}, caller=who),
        "contract": contract,
        "meter": meter,
        "device": device,
        "statement": statement,
        "dispute": Dispute.objects.create(
            period=contract.periods.order_by("pk")[0],
            opened_by=own,
            claimed_ms=0,
            provider_ms=0,
            reason="a test",
            opened_at=auction.opens_at,
        ),
        "resale": Resale.objects.create(
            contract=contract,
            buyer=own,
            starts_at=contract.starts_at,
            ends_at=contract.ends_at,
            price_ticks=8_000,
            actor="a test",
            opened_at=auction.opens_at,
        ),
        "project": open_project("training", budget_micros=10**9, caller=who),
        "taken_back": taken_back,
        "payout": ask_payout(
            amount_micros=10_000,
            source=AccountKind.AVAILABLE,
            to=BankAccount(holder="a", bank="b", account="c"),
            caller=who,
        ),
        "key": key,
        "endpoint": endpoint,
        "invitation": invite("new@example.com", role=Role.VIEWER, actor=owner),
        "delivery": send_test(endpoint, actor=owner),
        "member": MembershipFactory.create(organization=own, role=Role.VIEWER),
    }
    ids = {name: str(thing.public_id) for name, thing in things.items()}
    ids["transfer"] = str(Transfer.objects.latest("pk").pk)
    first_hour = things["contract"].periods.earliest("starts_at")
    ids["hour"] = f"{ids['contract']} {hour_of(first_hour.starts_at)}"
    ids |= {"auction": auction.public_id, "auction_file": f"{auction.public_id} prices csv"}
    ids |= _of_the_operator() | {"index_file": "accelerators csv"}
    ids["model"] = AiModel.objects.all()[0].code
    keys = _keys(own) | {"meter": api_with(token)}
    return Scene(own, ids, {True: keys, False: _browsers(own)})


def _keys(own: Organization) -> Callers:
    return {
        "anonymous": APIClient(),
        "stranger": api(scopes=ALL),
        "viewer": api(own, scopes=READS),
        "trader": api(own, scopes=READS | TRADES),
        "owner": api(own, scopes=ALL),
        "approver": api(own, scopes=READS),
        "operator": _operators_key(),
        "auditor": api(auditor(), scopes=ALL),
    }


def _of_the_operator() -> dict[str, str]:
    """Return the ids of what operators have: a halt, a measure that waits, a case, a relation."""
    halt = freeze_market(reason="a test", actor=caller(operator()), region=region_of("guizhou"))
    measure = ask_halt(reason="a test", actor=member(operator()))
    watched = {"board": "concentration", "form": "csv", "case": a_case().public_id}
    relation = enter_relation(
        OrganizationFactory.create(),
        OrganizationFactory.create(),
        kind="owner",
        reason="a test",
        actor=member(operator()),
    )
    return watched | {
        "halt": str(halt.pk),
        "measure": measure.public_id,
        "measure_kind": "halt",
        "relation": relation.public_id,
    }


def _operators_key() -> APIClient:
    """Return the client of a key that a person made: what needs four eyes needs persons."""
    house = operator()
    others = {scope for scope, kind in KIND_OF_SCOPE.items() if kind != Kind.OPERATES}
    return api(house, scopes=(ALL | APPROVES) - others, actor=member(house))


def _browsers(own: Organization) -> Callers:
    members = {role: portal(own, role=role) for role in Role.values}
    return {
        "anonymous": Client(),
        "stranger": portal(),
        **members,
        "operator": portal(operator()),
        "auditor": portal(auditor()),
    }

"""Who may do what at every door of the API and the portal. A new door needs its row here.

The rules are written out caller by caller; a row names the rule for a route and a method. "ok"
means that permissions let the caller through (what it then sends may still be refused).
"""

from dataclasses import dataclass, field

CALLERS = (
    "anonymous",
    "stranger",  # another organization that also provides and buys
    "viewer",
    "trader",
    "owner",
    "approver",
    "meter",  # has no portal: "-"
    "operator",
    "auditor",
)
RULES = {
    # of the API
    "open": "ok ok ok ok ok ok ok ok ok",
    "not yet": "404 404 404 404 404 404 404 404 404",  # open, once the auction is published
    "any key": "401 ok ok ok ok ok ok ok ok",
    "read": "401 ok ok ok ok ok 403 ok ok",
    "read own": "401 404 ok ok ok ok 403 ok ok",
    "trade": "401 ok 403 ok ok 403 403 403 403",
    "trade own": "401 404 403 ok ok 403 403 403 403",
    "own": "401 ok 403 403 ok 403 403 ok ok",
    "own own": "401 404 403 403 ok 403 403 404 404",
    "own its own": "401 404 403 403 ok 403 403 403 403",
    "budget": "401 ok 403 403 ok 403 403 403 403",
    "budget own": "401 404 403 403 ok 403 403 403 403",
    "equip": "401 ok 403 ok ok 403 403 ok ok",
    "equip own": "401 404 403 ok ok 403 403 404 404",
    "act": "401 404 403 ok ok 403 403 404 404",
    "act own": "401 404 403 ok ok 403 403 404 404",
    "report": "401 403 403 403 403 403 ok 403 403",
    # of the portal
    "all": "ok ok ok ok ok ok - ok ok",
    "no token": "404 404 404 404 404 404 - 404 404",
    "unpublished": "404 404 404 404 404 404 - 404 404",  # for all, once the auction is published
    "person": "302 ok ok ok ok ok - ok ok",
    "nobody": "302 404 404 404 404 404 - 404 404",  # chooses somebody else's membership
    "see own": "302 404 ok ok ok ok - ok ok",
    "see its own": "302 404 ok ok ok ok - 404 404",
    "traders own": "302 404 403 ok ok 403 - 404 404",
    "owners": "302 ok 403 403 ok 403 - ok ok",
    "owners own": "302 404 403 403 ok 403 - 404 404",
    "buyer": "302 ok ok ok ok ok - 403 403",
    "buyer own": "302 404 ok ok ok ok - 403 403",
    "buy": "302 ok 403 ok ok 403 - 403 403",
    "buy own": "302 404 403 ok ok 403 - 403 403",
    "buyer's owners": "302 ok 403 403 ok 403 - 403 403",
    "buyer's owners own": "302 404 403 403 ok 403 - 403 403",
    "provider": "302 ok ok ok ok ok - 403 403",
    "provider own": "302 404 ok ok ok ok - 403 403",
    "ask": "401 403 403 403 403 403 403 ok 403",
    "see all own": "401 404 404 404 404 404 403 ok ok",
    "decide own": "401 403 403 403 403 403 403 ok 403",
    "unread": "302 403 403 403 403 403 - 404 404",  # ok for the last two, once it is cleared
    # a finding is named by a query: 404 without one for those who may look, or act
    "finding": "302 403 403 403 403 403 - 404 404",
    "no finding": "302 403 403 403 403 403 - 404 403",
    "steer": "302 403 403 403 403 403 - ok 403",
    "watch": "302 403 403 403 403 403 - ok ok",
    "enrol": "302 ok 403 ok ok 403 - ok ok",
    "enrol own": "302 404 403 ok ok 403 - 404 404",
    "sell": "302 ok 403 ok ok 403 - 403 403",
    "sell own": "302 404 403 ok ok 403 - 403 403",
}


@dataclass(frozen=True, kw_only=True)
class Door:
    """One method of one route: by which rule it opens, and what stands in its address."""

    method: str
    route: str
    rule: str
    named: str = ""  # the thing of the scene whose id the route asks for
    shows: str = ""  # the thing that its owner finds in the list and a stranger does not
    body: dict[str, str] = field(default_factory=dict)  # {thing} stands for its id


def rows(route: str, *, named: str = "", **rules: str) -> list[Door]:
    """Return the doors of one route, one for each method."""
    return [Door(method=m, route=route, rule=rule, named=named) for m, rule in rules.items()]


def listed(route: str, rule: str, thing: str) -> Door:
    """Return the door of a list that shows this thing to its owner alone."""
    return Door(method="GET", route=route, rule=rule, shows=thing)


V1 = "api/v1/"
WHY = {"reason": "a test"}
ACCOUNTS = [
    *rows(f"{V1}me", GET="any key"),
    listed(f"{V1}webhook_endpoints", "read", "endpoint"),
    *rows(f"{V1}webhook_endpoints", POST="own"),
    *rows(
        f"{V1}webhook_endpoints/<str:public_id>",
        named="endpoint",
        GET="read own",
        PATCH="own its own",
    ),
    *(
        Door(
            method="POST",
            route=f"{V1}webhook_endpoints/<str:public_id>/{verb}",
            rule="own its own",
            named="endpoint",
        )
        for verb in ("rotate", "enable", "disable", "remove", "test")
    ),
    listed(f"{V1}webhook_deliveries", "read", "delivery"),
    *rows(f"{V1}webhook_deliveries/<str:public_id>", named="delivery", GET="read own"),
    *rows(f"{V1}webhook_deliveries/<str:public_id>/replay", named="delivery", POST="own its own"),
    listed("organization/webhooks", "person", "endpoint"),
    *rows("organization/webhooks/new", GET="owners", POST="owners"),
    *rows("organization/webhooks/<str:public_id>", named="endpoint", GET="see its own"),
    *rows(
        "organization/webhooks/<str:public_id>/edit",
        named="endpoint",
        GET="owners own",
        POST="owners own",
    ),
    *(
        Door(
            method="POST",
            route=f"organization/webhooks/<str:public_id>/{verb}",
            rule="owners own",
            named="endpoint",
        )
        for verb in ("rotate", "enable", "disable", "remove", "test")
    ),
    *rows("organization/webhook-deliveries/<str:public_id>", named="delivery", GET="see its own"),
    *rows(
        "organization/webhook-deliveries/<str:public_id>/replay",
        named="delivery",
        POST="owners own",
    ),
    *rows("organization", GET="person"),
    Door(method="POST", route="organization", rule="nobody", body={"membership": "{member}"}),
    listed("organization/keys", "person", "key"),
    *rows("organization/keys/new", GET="owners", POST="owners"),
    *rows("organization/keys/<str:public_id>/revoke", named="key", POST="owners own"),
    listed("organization/members", "person", "member"),
    *rows("organization/members/new", POST="owners"),
    *rows(
        "organization/invitations/<str:public_id>/withdraw",
        named="invitation",
        POST="owners own",
    ),
    *rows("apply", GET="all", POST="all"),
    *rows("invitations/<str:token>", GET="no token", POST="no token"),
    *rows("notices", GET="person"),
    *rows("notices/read", POST="person"),
    *rows("notices/choices", POST="person"),
    *rows("organization/members/<str:public_id>/role", named="member", POST="owners own"),
    *rows("organization/members/<str:public_id>/remove", named="member", POST="owners own"),
]
SETTLEMENT = [
    *rows(f"{V1}balances", GET="read"),
    listed(f"{V1}contracts", "read", "contract"),
    *rows(f"{V1}contracts/<str:public_id>", named="contract", GET="read own"),
    listed(f"{V1}disputes", "read", "dispute"),
    Door(
        method="POST",
        route=f"{V1}disputes",
        rule="act",
        body={
            "contract": "{contract}",
            "period_starts_at": "2026-01-05T17:00:00+00:00",
            "claimed_ms": "0",
            "reason": "a test",
        },
    ),
    *rows(f"{V1}disputes/<str:public_id>", named="dispute", GET="read own"),
    *rows(f"{V1}disputes/<str:public_id>/evidence", named="dispute", GET="read own"),
    *rows(f"{V1}disputes/<str:public_id>/withdraw", named="dispute", POST="act own"),
    listed(f"{V1}resales", "read", "resale"),
    Door(
        method="POST",
        route=f"{V1}resales",
        rule="act",
        body={"contract": "{contract}", "price": "8.000"},
    ),
    *rows(f"{V1}resales/<str:public_id>", named="resale", GET="read own"),
    *(
        Door(
            method="POST",
            route=f"{V1}resales/<str:public_id>/{verb}",
            rule="act own",
            named="resale",
        )
        for verb in ("accept", "decline", "withdraw")
    ),
    listed(f"{V1}payouts", "read", "payout"),
    *rows(f"{V1}payouts", POST="own"),
    *rows(f"{V1}payouts/<str:public_id>", named="payout", GET="read own"),
    *rows(f"{V1}payouts/<str:public_id>/cancel", named="payout", POST="own own"),
    listed(f"{V1}projects", "read", "project"),
    *rows(f"{V1}projects", POST="budget"),
    *rows(f"{V1}projects/<str:public_id>", named="project", GET="read own", PATCH="budget own"),
    *rows(f"{V1}projects/<str:public_id>/close", named="project", POST="budget own"),
    *rows(f"{V1}contracts/<str:public_id>/hours/<str:hour>", named="hour", GET="read own"),
    *rows(f"{V1}contracts/<str:public_id>/hours/<str:hour>/readings", named="hour", GET="read own"),
    *rows(f"{V1}transfers/<uuid:transfer_id>", named="transfer", GET="read own"),
    *rows(f"{V1}journal.beancount", GET="read"),
    *rows(f"{V1}contracts/<str:public_id>/confirm", named="contract", POST="act own"),
    *rows(f"{V1}contracts/<str:public_id>/reclaim", named="contract", POST="act own"),
    *rows(f"{V1}readings", POST="report"),
    *rows(f"{V1}meter", GET="report"),
    listed(f"{V1}meters", "read", "meter"),
    *rows(f"{V1}meters", POST="equip"),
    *rows(f"{V1}meters/<str:public_id>/revoke", named="meter", POST="equip own"),
    listed(f"{V1}devices", "read", "device"),
    *rows(f"{V1}devices", POST="equip"),
    *rows(f"{V1}devices/<str:public_id>/revoke", named="device", POST="equip own"),
    *rows(
        f"{V1}contracts/<str:public_id>/devices",
        named="contract",
        GET="read own",
        POST="trade own",
    ),
    *rows(
        f"{V1}contracts/<str:public_id>/devices/unassign",
        named="contract",
        POST="trade own",
    ),
    *rows(
        f"{V1}contracts/<str:public_id>/access_note",
        named="contract",
        GET="trade own",
        PUT="trade own",
    ),
    *rows(f"{V1}contracts/<str:public_id>/access_note/reads", named="contract", GET="read own"),
    listed("equipment/", "person", "meter"),
    *rows("equipment/meters/new/", POST="enrol"),
    *rows("equipment/meters/<slug:public_id>/revoke/", named="meter", POST="enrol own"),
    *rows("equipment/devices/new/", POST="sell"),
    *rows("equipment/devices/<slug:public_id>/revoke/", named="device", POST="sell own"),
    *rows("contracts/<slug:public_id>/handover/", named="contract", GET="see own"),
    *rows("contracts/<slug:public_id>/handover/assign/", named="contract", POST="sell own"),
    *rows("contracts/<slug:public_id>/handover/unassign/", named="contract", POST="sell own"),
    *rows("contracts/<slug:public_id>/handover/note/", named="contract", POST="sell own"),
    *rows("contracts/<slug:public_id>/handover/note/read/", named="contract", POST="sell own"),
    listed(f"{V1}statements", "read", "statement"),
    *rows(f"{V1}statements/<str:public_id>", named="statement", GET="read own"),
    *rows(f"{V1}statements/<str:public_id>/lines", named="statement", GET="read own"),
    *rows(f"{V1}statements/<str:public_id>.csv", named="statement", GET="read own"),
    *rows(f"{V1}statements/<str:public_id>.json", named="statement", GET="read own"),
    *rows(f"{V1}statements/<str:public_id>.focus.csv", named="statement", GET="read own"),
    *rows(f"{V1}statements/<str:public_id>.pdf", named="statement", GET="read own"),
    *rows(f"{V1}statements/<str:public_id>/credit_note.pdf", named="taken_back", GET="read own"),
    listed(f"{V1}transfers", "read", "transfer"),
    *rows("money/", GET="person"),
    *rows("contracts/<slug:public_id>/hours/<slug:hour>/", named="hour", GET="see own"),
    *rows("transfers/<uuid:transfer_id>/", named="transfer", GET="see own"),
    *rows("money/journal.beancount", GET="person"),
    *rows("money/mark/", POST="owners"),
    *rows("money/payouts/", POST="owners"),
    *rows("money/payouts/<slug:public_id>/cancel/", named="payout", POST="owners own"),
    listed("projects/", "buyer", "project"),
    *rows("projects/new/", POST="buyer's owners"),
    *rows("projects/<slug:public_id>/budget/", named="project", POST="buyer's owners own"),
    *rows("projects/<slug:public_id>/close/", named="project", POST="buyer's owners own"),
    listed("contracts/", "person", "contract"),
    *rows("contracts/<slug:public_id>/", named="contract", GET="see own"),
    *rows(
        "contracts/<slug:public_id>/dispute/",
        named="contract",
        GET="traders own",
        POST="traders own",
    ),
    listed("disputes/", "person", "dispute"),
    *rows("disputes/<slug:public_id>/", named="dispute", GET="see own"),
    *rows("disputes/<slug:public_id>/withdraw/", named="dispute", POST="traders own"),
    *rows(
        "contracts/<slug:public_id>/resell/",
        named="contract",
        GET="traders own",
        POST="traders own",
    ),
    listed("resales/", "person", "resale"),
    *rows("resales/<slug:public_id>/", named="resale", GET="see own"),
    *(
        Door(
            method="POST",
            route=f"resales/<slug:public_id>/{verb}/",
            rule="traders own",
            named="resale",
        )
        for verb in ("accept", "decline", "withdraw")
    ),
    *rows("contracts/<slug:public_id>/confirm/", named="contract", POST="traders own"),
    *rows("contracts/<slug:public_id>/reclaim/", named="contract", POST="traders own"),
    listed("statements/", "person", "statement"),
    *rows("statements/<slug:public_id>/", named="statement", GET="see own"),
    *rows("statements/<slug:public_id>/lines.csv", named="statement", GET="see own"),
    *rows("statements/<slug:public_id>/proof.json", named="statement", GET="see own"),
    *rows("statements/<slug:public_id>/focus.csv", named="statement", GET="see own"),
    *rows("statements/<slug:public_id>/statement.pdf", named="statement", GET="see own"),
    *rows("statements/<slug:public_id>/credit_note.pdf", named="taken_back", GET="see own"),
]
ORDERS = [
    listed(f"{V1}bids", "read", "bid"),
    *rows(f"{V1}bids", POST="trade"),
    *rows(f"{V1}bids/bulk", POST="trade"),
    *rows(f"{V1}bid_previews", POST="read"),
    *rows(f"{V1}bids/<str:public_id>", named="bid", GET="read own"),
    *rows(f"{V1}bids/<str:public_id>/cancel", named="bid", POST="trade own"),
    listed(f"{V1}offers", "read", "offer"),
    *rows(f"{V1}offers", POST="trade"),
    *rows(f"{V1}offers/file", POST="trade"),
    listed(f"{V1}offers/file", "read", "offer"),
    *rows(f"{V1}offers/<str:public_id>", named="offer", GET="read own", PATCH="trade own"),
    *rows(f"{V1}offers/<str:public_id>/pause", named="offer", POST="trade own"),
    *rows(f"{V1}offers/<str:public_id>/activate", named="offer", POST="trade own"),
    Door(
        method="POST",
        route=f"{V1}offers/<str:public_id>/withdraw",
        rule="trade own",
        named="offer",
        body=WHY,
    ),
    *rows(f"{V1}capacity", GET="read"),
    listed(f"{V1}maintenance", "read", "window"),
    *rows(f"{V1}maintenance", POST="trade"),
    *rows(f"{V1}maintenance/<str:public_id>/call_off", named="window", POST="trade own"),
]
PROVIDER_PAGES = [
    listed("offers/", "provider", "offer"),
    *rows("offers/new/", GET="sell", POST="sell"),
    *rows("offers/upload/", GET="sell", POST="sell"),
    *rows("offers/template.csv", GET="provider"),
    listed("offers/offers.csv", "provider", "offer"),
    *rows("offers/<slug:public_id>/", named="offer", GET="provider own"),
    *rows("offers/<slug:public_id>/edit/", named="offer", GET="sell own", POST="sell own"),
    *rows("offers/<slug:public_id>/pause/", named="offer", POST="sell own"),
    *rows("offers/<slug:public_id>/resume/", named="offer", POST="sell own"),
    *rows("offers/<slug:public_id>/withdraw/", named="offer", GET="sell own", POST="sell own"),
    *rows("capacity/", GET="provider"),
    *rows("desk/", GET="provider"),
    *rows("offers/calendar/", GET="provider"),
    *rows("offers/bulk/", GET="sell", POST="sell"),
    *rows("maintenance/", GET="provider"),
    *rows("maintenance/new/", GET="sell", POST="sell"),
    *rows("maintenance/<slug:public_id>/cancel/", named="window", POST="sell own"),
]
BUYER_PAGES = [
    listed("bids/", "buyer", "bid"),
    *rows("bids/new/", GET="buy", POST="buy"),
    *rows("bids/<slug:public_id>/", named="bid", GET="buyer own"),
    *rows("bids/<slug:public_id>/cancel/", named="bid", POST="buy own"),
]
CONTROL = [
    *rows("control/", GET="watch"),
    *rows("control/network/", GET="watch"),
    *rows("control/alarms/", GET="watch"),
    *rows("control/measures/", GET="watch"),
    *rows("control/watch/", GET="watch"),
    *rows("control/watch/board/<slug:board>/", named="board", GET="watch"),
    *rows("control/watch/finding/", GET="finding"),
    *rows("control/watch/finding/open/", POST="no finding"),
    *rows("control/watch/finding/trades.<slug:form>", named="form", GET="finding"),
    *rows("control/watch/cases/", GET="watch"),
    *rows("control/watch/cases/<slug:public_id>/", named="case", GET="watch"),
    *rows("control/watch/cases/<slug:public_id>/evidence.json", named="case", GET="watch"),
    *rows("control/watch/cases/<slug:public_id>/note/", named="case", POST="steer"),
    *rows("control/watch/cases/<slug:public_id>/assign/", named="case", POST="steer"),
    *rows("control/watch/cases/<slug:public_id>/close/", named="case", POST="steer"),
    *rows("control/watch/relations/", GET="watch"),
    *rows("control/watch/relations/enter/", POST="steer"),
    *rows("control/watch/relations/<slug:public_id>/end/", named="relation", POST="steer"),
    *rows("control/auctions/<slug:public_id>/", named="auction", GET="unread", POST="unread"),
    *rows("control/auctions/<slug:public_id>/book.zip", named="auction", GET="unread"),
    Door(
        method="POST",
        route="control/measures/ask/<slug:kind>/",
        rule="steer",
        named="measure_kind",
    ),
    *rows("control/halts/<int:number>/resume/", named="halt", POST="steer"),
    *rows("control/measures/<slug:public_id>/approve/", named="measure", POST="steer"),
    *rows("control/measures/<slug:public_id>/refuse/", named="measure", POST="steer"),
    *rows(f"{V1}halts", GET="open"),
    *rows(f"{V1}measures", GET="read", POST="ask"),
    *rows(f"{V1}measures/<str:public_id>", named="measure", GET="see all own"),
    *(
        Door(
            method="POST",
            route=f"{V1}measures/<str:public_id>/{verb}",
            rule="decide own",
            named="measure",
            body=WHY,
        )
        for verb in ("approve", "refuse")
    ),
]
MARKET = [
    *rows(f"{V1}regions", GET="open"),
    *rows(f"{V1}accelerators", GET="open"),
    *rows(f"{V1}models", GET="open"),
    *rows(f"{V1}models/<str:code>", named="model", GET="open"),
    *rows(f"{V1}auctions", GET="open"),
    *rows(f"{V1}auctions/<str:public_id>", named="auction", GET="open"),
    *rows(f"{V1}auctions/<str:public_id>/certificate", named="auction", GET="not yet"),
    *rows(f"{V1}auctions/<str:public_id>/archive/<path:file>", named="auction", GET="not yet"),
    *rows(f"{V1}prices", GET="open"),
    *rows(f"{V1}fills", GET="open"),
    *rows("", GET="all"),
    *rows("theme/", POST="all"),
    *rows("time-zone", GET="all", POST="all"),
    *rows("market/", GET="all"),
    *rows("market/stream/", GET="all"),
    *rows("market/curves/", GET="all"),
    *rows("market/map/", GET="all"),
    *rows("market/index/", GET="all"),
    *rows("market/index/<slug:table>.<slug:form>", named="index_file", GET="all"),
    *rows("market/models/", GET="all"),
    *rows("market/models/<str:code>/", named="model", GET="all"),
    *rows("market/auctions/", GET="all"),
    *rows("market/auctions/<slug:public_id>/", named="auction", GET="unpublished"),
    *rows("market/auctions/<slug:public_id>/archive.zip", named="auction", GET="unpublished"),
    *rows(
        "market/auctions/<slug:public_id>/<slug:table>.<slug:form>",
        named="auction_file",
        GET="unpublished",
    ),
]
DOORS = [*ACCOUNTS, *SETTLEMENT, *ORDERS, *PROVIDER_PAGES, *BUYER_PAGES, *CONTROL, *MARKET]
NOT_OURS = (  # and why it has no rows here
    "accounts/",  # allauth's own pages, tried in tests/accounts/test_sign_in.py
    "admin/",  # the admin asks for staff and its permissions, tried in tests/*/test_admin.py
    "i18n/",  # Django's switch of languages
    "metrics",  # asks for an address or a token, tried in tests/house/test_metrics.py
    "health/",  # whether the servers are up, told to anybody
    "api/schema",  # what the API is like, told to anybody
    "api/docs",
)

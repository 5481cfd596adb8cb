"""How full links and power budgets are by what was cleared: at this hour, and at the worst one."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import connection

# Fills count at every full hour that they run through.
_RUNNING = """
WITH running AS MATERIALIZED (
    SELECT fill.id, fill.bid_id, fill.site_id, fill.accelerator_id, fill.route_id,
           fill.quantity_lots, hour.at
    FROM exchange_auction AS auction
    JOIN exchange_bidfill AS fill ON fill.auction_id = auction.id
    CROSS JOIN LATERAL generate_series(
        greatest(date_trunc('hour', fill.starts_at + interval '1 hour' - interval '1 microsecond'),
                 date_trunc('hour', %(since)s::timestamptz)),
        least(fill.ends_at, %(until)s) - interval '1 microsecond', interval '1 hour') AS hour (at)
    WHERE auction.state = 'published'
      AND auction.starts_at < %(until)s AND auction.ends_at > %(since)s
)
"""
_RANKED = """
SELECT DISTINCT ON (code) code, origin, region, limit_micros, used_micros, at,
       coalesce(max(used_micros) FILTER (WHERE at = date_trunc('hour', %(now)s::timestamptz))
                OVER (PARTITION BY code), 0)
FROM loads ORDER BY code, used_micros::numeric / nullif(limit_micros, 0) DESC NULLS LAST,
                    used_micros DESC, at
"""
_LINKS = f"""
{_RUNNING}, loads AS (
    SELECT link.code, origin.code AS origin, region.code AS region,
           link.gbps_micros AS limit_micros, running.at,
           (sum(running.quantity_lots::numeric * bid.gbps_micros) / 1000)::bigint AS used_micros
    FROM running
    JOIN exchange_bid AS bid ON bid.id = running.bid_id AND bid.gbps_micros > 0
    JOIN exchange_route AS route ON route.id = running.route_id
    CROSS JOIN LATERAL unnest(route.links) AS used (code)
    JOIN exchange_link AS link ON link.code = used.code
    JOIN exchange_region AS origin ON origin.id = link.origin_id
    JOIN exchange_region AS region ON region.id = link.region_id
    GROUP BY link.id, origin.code, region.code, running.at
)
{_RANKED}
"""  # noqa: S608
_POWER = f"""
{_RUNNING}, drawn AS (
    SELECT region.id, region.code, running.at,
           (sum(running.quantity_lots::numeric * chip.watts_micros * site.pue_micros)
            / 1000000000000)::bigint AS used_micros
    FROM running
    JOIN exchange_site AS site ON site.id = running.site_id
    JOIN exchange_region AS region ON region.id = site.region_id
    JOIN exchange_accelerator AS chip ON chip.id = running.accelerator_id
    GROUP BY region.id, running.at
), loads AS (
    SELECT drawn.code, '' AS origin, drawn.code AS region, drawn.at, drawn.used_micros,
           (SELECT min(kw_micros) FROM exchange_powerbudget AS budget
            WHERE budget.region_id = drawn.id AND budget.starts_at <= drawn.at
              AND (budget.ends_at IS NULL OR budget.ends_at > drawn.at)) AS limit_micros
    FROM drawn
)
{_RANKED}
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Load:
    """A limit and its fullest hour, in millionths of a Gbps or of a kW; no limit: None.

    ``now_micros`` is what the running hour takes of it.
    """

    code: str
    origin: str
    region: str
    limit_micros: int | None
    used_micros: int
    at: datetime
    now_micros: int

    @property
    def share_micros(self) -> int | None:
        """The part of the limit that the fullest hour took, in millionths."""
        return _share(self.used_micros, self.limit_micros)

    @property
    def now_share_micros(self) -> int | None:
        """The part of the limit that the running hour takes, in millionths."""
        return _share(self.now_micros, self.limit_micros)


def link_loads(now: datetime, *, since: datetime, until: datetime) -> list[Load]:
    """Return every link that cleared work ran over in ``[since, until)``, the fullest first."""
    return _loads(_LINKS, {"now": now, "since": since, "until": until})


def power_loads(now: datetime, *, since: datetime, until: datetime) -> list[Load]:
    """Return the power that cleared work took in each region, PUE included, the fullest first.

    It is what the clearing reckoned with: nominal watts of all accelerators sold.
    """
    return _loads(_POWER, {"now": now, "since": since, "until": until})


def _loads(query: str, asked: dict[str, Any]) -> list[Load]:
    with connection.cursor() as cursor:
        cursor.execute(query, asked)
        found = [Load(*row) for row in cursor.fetchall()]
    return sorted(found, key=lambda load: (-(load.share_micros or 0), load.code))


def _share(part: int, whole: int | None) -> int | None:
    return part * 1_000_000 // whole if whole else None

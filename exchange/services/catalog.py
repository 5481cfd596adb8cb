"""Load the project's own tables into the catalogue; again and again with the same end."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import models, transaction

from exchange.foundation.money import MICROS
from exchange.models import Accelerator, AcceleratorKind, AiModel, Grade, Link, Region, Route
from exchange.models.chips import MODALITIES
from exchange.services.backbone import FORMULA, Place, plan_links, plan_routes
from exchange.services.catalog_tables import (
    ACCELERATOR_COLUMNS,
    AI_MODEL_COLUMNS,
    REGION_COLUMNS,
    TABLES,
    Row,
    in_bounds,
    read_table,
)

BILLION = 1_000_000_000
DEGREES_NORTH, DEGREES_EAST = 90, 180
LATENCY_STEP = 100_000  # a tenth of a millisecond, in millionths


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows the catalogue has of each."""

    regions: int
    links: int
    routes: int
    accelerators: int
    ai_models: int


@transaction.atomic
def load_catalog(folder: Path = TABLES) -> Loaded:
    """Bring the catalogue to what the tables say: all of it, or nothing if one is malformed.

    Rows that are not in the tables stay, since orders may name them; limits that an operator set
    on links stay too. Raises TableRefused with file, row and column.
    """
    regions = read_table("regions.csv", REGION_COLUMNS, folder)
    _upsert(Region, [_region(row) for row in regions])
    _upsert(Accelerator, [_chip(row) for row in _table("accelerators", folder)])
    _upsert(AiModel, [_ai_model(row) for row in _table("ai_models", folder)])
    places = {row.text("code"): _place(row) for row in regions}
    ids = dict(Region.objects.values_list("code", "pk"))
    _upsert(Link, _links(places, ids), kept=["gbps_micros"])
    _upsert(Route, _routes(places, ids))
    return Loaded(*(kind.objects.count() for kind in (Region, Link, Route, Accelerator, AiModel)))


def _table(name: str, folder: Path) -> list[Row]:
    columns = {"accelerators": ACCELERATOR_COLUMNS, "ai_models": AI_MODEL_COLUMNS}
    return read_table(f"{name}.csv", columns[name], folder)


def _upsert(
    kind: type[models.Model], rows: Sequence[Mapping[str, Any]], kept: Sequence[str] = ()
) -> None:
    if not rows:
        return
    written = [name for name in rows[0] if name != "code" and name not in kept]
    kind._default_manager.bulk_create(
        [kind(**row) for row in rows],
        update_conflicts=True,
        unique_fields=["code"],
        update_fields=written,
    )


def _place(row: Row) -> Place:
    return float(row.text("latitude")), float(row.text("longitude"))


def _region(row: Row) -> dict[str, Any]:
    north = row.number_of("latitude", scale=MICROS)
    east = row.number_of("longitude", scale=MICROS)
    pue = row.number_of("pue_max", scale=MICROS)
    return {
        "code": row.text("code"),
        "name": row.text("name"),
        "side": row.word("side", ("east", "west")),
        "latitude_micros": in_bounds(
            row, "latitude", north, lambda found: abs(found) <= DEGREES_NORTH * MICROS
        ),
        "longitude_micros": in_bounds(
            row, "longitude", east, lambda found: abs(found) <= DEGREES_EAST * MICROS
        ),
        "pue_micros_max": in_bounds(row, "pue_max", pue, lambda found: found >= MICROS),
        "source": f"{row.text('source_place')}; PUE: {row.text('source_pue')}",
    }


def _chip(row: Row) -> dict[str, Any]:
    grade = row.word("grade", tuple(Grade.values))
    figures = {
        "memory_gb": row.number_if_known("memory_gb"),
        "tflops_micros": row.number_if_known("tflops", scale=MICROS),
        "watts_micros": row.number_if_known("watts", scale=MICROS),
    }
    known = all(figure is not None and figure > 0 for figure in figures.values())
    return {
        "code": row.text("code"),
        "name": row.text("name"),
        "vendor": row.text("vendor"),
        "vendor_country": row.text("vendor_country"),
        "kind": row.word("kind", tuple(AcceleratorKind.values)),
        "domestic": row.word("domestic", ("0", "1")) == "1",
        "year": row.number_if_known("year"),
        **figures,
        "grade": grade,
        "tradable": grade != Grade.C and known,
        "note": "" if grade != Grade.C else "unverified: the sources contradict or say nothing",
        "source": (
            f"TFLOPS: {row.text('source_tflops')}; "
            f"memory and watts: {row.text('source_memory_watts')}"
        ),
    }


def _ai_model(row: Row) -> dict[str, Any]:
    total = row.number_of("params_total_b", scale=BILLION)
    return {
        "code": row.text("code"),
        "name": row.text("name"),
        "developer": row.text("developer", needed=False),
        "developer_country": row.text("developer_country", needed=False),
        "year": row.number_if_known("year"),
        "params_total": in_bounds(row, "params_total_b", total, lambda found: found > 0),
        "params_active": row.number_if_known("params_active_b", scale=BILLION),
        "context_tokens": row.number_if_known("context_tokens"),
        "modality": row.word("modality", tuple(MODALITIES)),
        "licence": row.text("licence", needed=False),
        "source": row.text("source"),
    }


def _links(places: Mapping[str, Place], ids: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "code": link_code(origin, region),
            "origin_id": ids[origin],
            "region_id": ids[region],
            "source": FORMULA,
        }
        for origin, region in plan_links(places)
    ]


def _routes(places: Mapping[str, Place], ids: Mapping[str, int]) -> list[dict[str, Any]]:
    return [
        {
            "code": link_code(route.origin, route.region),
            "origin_id": ids[route.origin],
            "region_id": ids[route.region],
            "latency_micros": round(route.latency_ms * MICROS / LATENCY_STEP) * LATENCY_STEP,
            "links": [link_code(*link) for link in route.links],
            "source": FORMULA,
        }
        for route in plan_routes(places)
    ]


def link_code(origin: str, region: str) -> str:
    """Return how the way from one hub to another is called in book files."""
    return f"{origin}..{region}"

"""The catalogue, loaded from the project's own tables; loading again changes nothing."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from django.db import models, transaction

from accounts.models import Organization
from accounts.services.organizations import create_organization
from exchange.models import Accelerator, AiModel, Grade, Link, Region, Route
from exchange.services.catalog_tables import TABLES_DIR, Row, read_tables
from exchange.services.geography import Place, backbone, link_code, shortest_paths

Model = TypeVar("Model", bound=models.Model)

DOMESTIC_COUNTRY = "CN"
MICROS = 1_000_000
DERIVED = "derived from the distances of the regions: see catalog_tables/README.md"


@dataclass(frozen=True, slots=True)
class Loaded:
    """How many rows of each table the catalogue holds of those that were loaded."""

    regions: int
    links: int
    routes: int
    accelerators: int
    ai_models: int


@transaction.atomic
def load_catalog(folder: Path = TABLES_DIR) -> Loaded:
    """Load all tables, or none if one is malformed. Raises TablesRefused, NotConnected.

    Rows are known by their codes: known ones are brought up to date, others that the catalogue
    holds are left alone. Limits of links, which operators set, stay as they are.
    """
    tables = read_tables(folder)
    regions = [_load_region(row) for row in tables["regions.csv"]]
    for row in tables["accelerators.csv"]:
        _put(Accelerator, _accelerator(row))
    for row in tables["ai_models.csv"]:
        _put(AiModel, _ai_model(row))
    links, routes = _load_network({region.code: region for region in regions})
    return Loaded(
        regions=len(regions),
        links=links,
        routes=routes,
        accelerators=len(tables["accelerators.csv"]),
        ai_models=len(tables["ai_models.csv"]),
    )


def _load_region(row: Row) -> Region:
    values = {
        "code": row["code"],
        "name": row["name"],
        "name_zh": row["name_zh"],
        "hub": row["hub"],
        "side": row["side"],
        "latitude_micros": row["latitude"],
        "longitude_micros": row["longitude"],
        "pue_micros_max": row["pue_max"],
        "operator": _operator(str(row["operator"]), region_code=str(row["code"])),
        "source": row["source"],
    }
    return _put(Region, values)


def _operator(name: str, *, region_code: str) -> Organization:
    """Return the local operator: it runs a region's network, and sees no more than others do."""
    found = Organization.objects.filter(name=name, region_code=region_code).first()
    return found or create_organization(name, kinds=["provides"], region_code=region_code)


def _accelerator(row: Row) -> dict[str, Any]:
    figures = (row["memory_gb"], row["tflops"], row["watts"])
    return {
        "code": row["code"],
        "name": row["name"],
        "vendor": row["vendor"],
        "vendor_country": row["vendor_country"],
        "kind": row["kind"],
        "domestic": row["vendor_country"] == DOMESTIC_COUNTRY,
        "year": row["year"],
        "memory_gb": row["memory_gb"],
        "tflops_micros": row["tflops"],
        "watts_micros": row["watts"],
        "grade": row["grade"],
        "tradable": row["grade"] != Grade.C and None not in figures,
        "source": row["source"],
    }


def _ai_model(row: Row) -> dict[str, Any]:
    return {
        "code": row["code"],
        "name": row["name"],
        "developer": row["developer"],
        "developer_country": row["developer_country"],
        "year": row["year"],
        "params_total": row["params_billions"],
        "params_active": row["active_billions"],
        "context_tokens": row["context_tokens"],
        "modality": row["modality"],
        "licence": row["licence"],
        "source": row["source"],
    }


def _load_network(regions: dict[str, Region]) -> tuple[int, int]:
    """Derive links and routes from where the regions are; return how many of each."""
    links = backbone({code: _place(region) for code, region in regions.items()})
    count = 0
    for origin, others in links.items():
        for region in others:
            values = {
                "code": link_code(origin, region),
                "origin": regions[origin],
                "region": regions[region],
                "source": DERIVED,
            }
            _put(Link, values)
            count += 1
        for region, path in shortest_paths(links, origin).items():
            values = {
                "code": f"{origin}.{region}",
                "origin": regions[origin],
                "region": regions[region],
                "latency_micros": path.latency_micros,
                "links": path.links,
                "source": DERIVED,
            }
            _put(Route, values)
    return count, len(regions) ** 2


def _place(region: Region) -> Place:
    return region.latitude_micros / MICROS, region.longitude_micros / MICROS


def _put(model: type[Model], values: dict[str, Any]) -> Model:
    """Make a row with these values, or bring it up to date; untouched if it is so already."""
    known = model._default_manager.filter(code=values["code"]).first()
    if known is None:
        return model._default_manager.create(**values)
    if any(getattr(known, name) != value for name, value in values.items()):
        model._default_manager.filter(pk=known.pk).update(**values)
        known.refresh_from_db()
    return known

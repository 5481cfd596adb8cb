"""The catalogue as one snapshot in memory: what every order is checked against.

It is read again when its version, a row that triggers on the catalogue's tables renew, is not the
one that was last read: a bid pays nothing for it but a column in a query that it makes anyway.
"""

from dataclasses import dataclass

from django.db import connection

from exchange.models import Accelerator, AiModel, Link, Region, Route, Site


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All rows of the catalogue by their codes, as they were at ``version``."""

    version: str
    regions: dict[str, Region]
    accelerators: dict[str, Accelerator]
    sites: dict[str, Site]
    models: dict[str, AiModel]
    routes: tuple[Route, ...]
    links: dict[str, Link]


_kept: dict[str, Catalogue] = {}


def catalogue_of(version: str) -> Catalogue:
    """Return the snapshot of ``version``, or of a later one if it was just renewed."""
    found = _kept.get(version)
    if found is None:
        found = _read(version)
        _kept.clear()
        _kept[version] = found
    return found


def catalogue_now() -> Catalogue:
    """Return the snapshot of the version that the database has now."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT version::text FROM catalogue_version")
        return catalogue_of(cursor.fetchone()[0])


def _read(version: str) -> Catalogue:
    return Catalogue(
        version=version,
        regions={row.code: row for row in Region.objects.all()},
        accelerators={row.code: row for row in Accelerator.objects.all()},
        sites={row.code: row for row in Site.objects.select_related("region", "provider")},
        models={row.code: row for row in AiModel.objects.all()},
        routes=tuple(Route.objects.select_related("origin", "region")),
        links={row.code: row for row in Link.objects.all()},
    )

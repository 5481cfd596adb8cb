"""How the admin prints money, and links one row to another."""

from collections.abc import Iterable

from django.db import models
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from exchange.foundation.money import MICROS, format_scaled

NOTHING = "—"


def money(amount_micros: int | None) -> str:
    """Return an amount with its six decimals, thousands apart."""
    if amount_micros is None:
        return NOTHING
    whole, _, part = format_scaled(amount_micros, scale=MICROS).partition(".")
    sign = "-" if whole.startswith("-") else ""
    return f"{sign}{abs(int(whole)):,}.{part}"


def link(row: models.Model | None, text: str = "") -> SafeString | str:
    """Return a link to a row's page in the admin."""
    if row is None:
        return NOTHING
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return format_html('<a href="{}">{}</a>', reverse(name, args=[row.pk]), text or str(row))


def link_to_list(model: type[models.Model], text: str, **cut: object) -> SafeString:
    """Return a link to the list of a model, cut by lookups."""
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist"
    query = "&".join(f"{key}={value}" for key, value in cut.items())
    return format_html('<a href="{}?{}">{}</a>', reverse(name), query, text)


def joined(links: Iterable[SafeString]) -> SafeString:
    """Return links side by side."""
    return format_html_join(" · ", "{}", ((each,) for each in links))


def table(head: Iterable[object], rows: Iterable[Iterable[object]]) -> SafeString:
    """Return a table; its cells are escaped unless they are safe already."""
    cells = format_html_join("", "<th>{}</th>", ((each,) for each in head))
    lines = format_html_join(
        "",
        "<tr>{}</tr>",
        ((format_html_join("", "<td>{}</td>", ((c,) for c in row)),) for row in rows),
    )
    return format_html("<table><thead><tr>{}</tr></thead><tbody>{}</tbody></table>", cells, lines)

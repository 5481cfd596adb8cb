"""The first bid in the README is what the API takes: its shell lines are run and sent."""

import json
import re
import subprocess
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import pytest
from rest_framework.test import APIClient

from exchange.models import Accelerator, Bid, Region, Site
from exchange.services.catalog import load_catalog
from tests.exchange.markets import Market, auction_of, capacity_of, give_money, series_of
from tests.exchange.trading import offer_of
from tests.factories import OrganizationFactory, api

pytestmark = pytest.mark.django_db
README = Path(__file__).parents[2] / "README.md"
CHIP = "ascend-910b3"
# Stands for curl: notes what it is asked, and gives the answer about auctions that it was given.
CURL = r"""
curl() {
  printf '%s\036' "$@" >> "$CALLS"; printf '\035' >> "$CALLS"
  case "$*" in *auctions*) cat "$AUCTIONS" ;; esac
}
KEY=key_of_the_reader
"""


class Call(NamedTuple):
    """One request as the README makes it."""

    path: str
    headers: dict[str, str]
    body: Any


@pytest.fixture
def scene() -> Market:
    load_catalog()
    provider = OrganizationFactory.create(name="Provider", buys=False)
    site = Site.objects.create(
        code="yrd-1",
        name="Yangtze 1",
        provider=provider,
        region=Region.objects.get(code="yrd-demo"),
        pue_micros=1_200_000,
        renewable_micros=300_000,
    )
    capacity_of(site, Accelerator.objects.get(code=CHIP))
    series = series_of()
    scene = Market(series=series, auction=auction_of(series), site=site, provider=provider)
    offer_of(scene, chip=CHIP)
    return scene


def shell_lines() -> str:
    """Return the indented lines of the section about the first bid."""
    section = README.read_text().partition("## A first bid\n")[2].partition("\n## ")[0]
    return "".join(
        f"{line[4:]}\n" for line in section.splitlines() if line.startswith("    ") or not line
    )


def calls_of(folder: Path, auctions: bytes) -> list[Call]:
    """Run the README's lines in a shell, and return what they ask curl for."""
    calls, answer = folder / "calls", folder / "auctions.json"
    answer.write_bytes(auctions)
    subprocess.run(  # noqa: S603 - our own README
        ["/bin/sh", "-eu", "-c", CURL + shell_lines()],
        check=True,
        env={"CALLS": str(calls), "AUCTIONS": str(answer), "PATH": "/usr/bin:/bin"},
    )
    return [_call(words.split("\036")) for words in calls.read_text().split("\035")[:-1]]


def _call(words: list[str]) -> Call:
    options = list(pairwise(words))
    (address,) = [word for word in words if word.startswith("http://127.0.0.1:8000/")]
    place = urlsplit(address)
    stated = (text.partition(": ") for option, text in options if option == "-H")
    headers = {name: value for name, _, value in stated}
    bodies = [json.loads(text) for option, text in options if option == "-d"]
    path = f"{place.path}?{place.query}" if place.query else place.path
    return Call(path, headers, bodies[0] if bodies else None)


def test_the_first_bid_of_the_readme_is_previewed_and_placed(scene: Market, tmp_path: Path) -> None:
    buyer = OrganizationFactory.create(provides=False)
    give_money(buyer.pk, 10**12)
    client: APIClient = api(buyer)
    auctions = client.get("/api/v1/auctions?state=open")

    asked, previewed, placed = calls_of(tmp_path, auctions.content)

    assert asked == Call("/api/v1/auctions?state=open", {}, None)
    for call in (previewed, placed):
        assert call.headers["Authorization"] == "Bearer key_of_the_reader"
        assert call.headers["Content-Type"] == "application/json"
    preview = client.post(previewed.path, previewed.body)
    assert preview.status_code == 200, preview.content
    assert preview.json()["can_be_served"]
    assert preview.json()["is_covered"]
    key = {"Idempotency-Key": placed.headers["Idempotency-Key"]}
    answer = client.post(placed.path, placed.body, headers=key)
    assert answer.status_code == 201, answer.content
    assert Bid.objects.get().auction_id == scene.auction.pk
    again = client.post(placed.path, placed.body, headers=key)
    assert (again.status_code, again.json()) == (201, answer.json())
    other = {"Idempotency-Key": "the-preview-as-it-is"}
    assert client.post(placed.path, preview.json()["bid"], headers=other).status_code == 201


def test_the_readme_shows_a_picture_that_is_there() -> None:
    pictures = re.findall(r"!\[[^]]+\]\(([^)]+)\)", README.read_text())

    assert pictures
    for name in pictures:
        assert (README.parent / name).read_bytes().startswith(b"\x89PNG")

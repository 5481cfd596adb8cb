"""The catalogue is loaded whole from our own tables, as often as one likes."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from accounts.models import Organization
from exchange.models import Accelerator, AiModel, Link, Region, Route
from exchange.services.catalog import load_catalog
from exchange.services.catalog_tables import TABLES_DIR, TablesRefused
from exchange.services.geography import (
    NotConnected,
    backbone,
    distance_km,
    latency_ms,
    shortest_paths,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def tables(tmp_path: Path) -> Path:
    return Path(shutil.copytree(TABLES_DIR, tmp_path / "tables"))


def change(folder: Path, file: str, edit: Callable[[str], str]) -> None:
    path = folder / file
    path.write_text(edit(path.read_text()))


def refused(folder: Path) -> list[tuple[str, int, str, str]]:
    with pytest.raises(TablesRefused) as refusal:
        load_catalog(folder)
    assert not Region.objects.exists()
    return [(f.file, f.row, f.column, f.code) for f in refusal.value.faults]


def test_it_loads_ten_hubs_fifty_two_chips_and_a_hundred_and_forty_models() -> None:
    loaded = load_catalog()
    assert (loaded.regions, loaded.routes) == (10, 100)
    assert (loaded.accelerators, loaded.ai_models) == (52, 140)
    assert Region.objects.exclude(source="").count() == 10
    assert Organization.objects.filter(regions_operated__isnull=False).count() == 10


def test_it_may_be_loaded_again_and_keeps_the_limits_that_operators_set() -> None:
    call_command("load_catalog")
    Link.objects.update(gbps_micros=400_000_000)
    before = list(Route.objects.order_by("pk").values())
    call_command("load_catalog")
    assert list(Route.objects.order_by("pk").values()) == before
    assert set(Link.objects.values_list("gbps_micros", flat=True)) == {400_000_000}
    assert Organization.objects.count() == 10


def test_it_lets_nobody_trade_a_chip_whose_figures_are_not_verified() -> None:
    load_catalog()
    assert not Accelerator.objects.filter(grade="C", tradable=True).exists()
    assert Accelerator.objects.filter(grade="C").count() == 12
    assert Accelerator.objects.get(code="ascend-910b3").tradable
    assert Accelerator.objects.get(code="ascend-910b3").domestic


def test_every_link_has_its_opposite_and_every_route_runs_over_known_links() -> None:
    load_catalog()
    codes = set(Link.objects.values_list("code", flat=True))
    assert all(".".join(reversed(code.split("."))) in codes for code in codes)
    for route in Route.objects.select_related("origin", "region"):
        assert set(route.links) <= codes
        assert (not route.links) == (route.origin == route.region)


def test_the_farthest_hubs_are_within_the_national_target_of_twenty_milliseconds() -> None:
    load_catalog()
    assert max(Route.objects.values_list("latency_micros", flat=True)) < 20_000_000


def test_a_fibre_of_a_thousand_kilometres_takes_seven_and_a_half_milliseconds() -> None:
    assert latency_ms(1_000) == pytest.approx(7.5)


def test_a_degree_of_latitude_is_a_hundred_and_eleven_kilometres() -> None:
    assert distance_km((30.0, 104.0), (31.0, 104.0)) == pytest.approx(111.19, abs=0.01)


def test_it_says_which_places_cannot_be_reached() -> None:
    far_apart = {f"a{i}": (30.0, 100.0 + i / 10) for i in range(4)}
    far_apart |= {f"b{i}": (-30.0, -100.0 - i / 10) for i in range(4)}
    with pytest.raises(NotConnected, match="b0"):
        shortest_paths(backbone(far_apart), "a0")


def test_it_says_how_many_accelerators_hold_a_model() -> None:
    load_catalog()
    model = AiModel.objects.get(code="qwen2-5-72b-instruct")
    assert model.weight_bytes() == 144 * 10**9
    assert model.weight_bytes(dtype="int4") == 36 * 10**9
    assert model.accelerators_needed(80) == 3
    assert model.accelerators_needed(80, dtype="int4") == 1


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("40.78341", "91.0", ("regions.csv", 2, "latitude", "number_out_of_range")),
        (",1.25,", ",1e0,", ("regions.csv", 2, "pue_max", "number_bad")),
        (",east,", ",north,", ("regions.csv", 2, "side", "word_unknown")),
        ("zhangjiakou,", "Zhang jiakou,", ("regions.csv", 2, "code", "code_bad")),
        ("wuhu,", "zhangjiakou,", ("regions.csv", 4, "code", "code_repeated")),
        (
            ",A100 SXM4 80GB,",
            ",,",
            ("accelerators.csv", 2, "name", "value_missing"),
        ),
        (
            ",312,400,A,",
            ",-1,400,A,",
            ("accelerators.csv", 2, "tflops", "number_out_of_range"),
        ),
        (",312,400,A,", ",312,A,", ("accelerators.csv", 2, "", "row_length")),
        (",text,", ",smell,", ("ai_models.csv", 2, "modality", "word_unknown")),
        ("code,name", "name,code", ("ai_models.csv", 1, "", "header_bad")),
        (",Alibaba,", ',"Alibaba,', ("ai_models.csv", 0, "", "file_malformed")),
    ],
)
def test_it_refuses_a_malformed_table_by_file_row_and_column(
    tables: Path, old: str, new: str, place: tuple[str, int, str, str]
) -> None:
    change(tables, place[0], lambda text: text.replace(old, new, 1))
    assert place in refused(tables)


def test_it_refuses_a_missing_table(tables: Path) -> None:
    (tables / "regions.csv").unlink()
    assert refused(tables) == [("regions.csv", 0, "", "file_missing")]


def test_the_command_names_the_place(tables: Path) -> None:
    change(tables, "regions.csv", lambda text: text.replace(",east,", ",north,", 1))
    with pytest.raises(CommandError, match=r"regions\.csv, row 2, column side"):
        call_command("load_catalog", tables=tables)

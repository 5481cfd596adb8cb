"""The traces' own formats are read as their publishers document them, or refused by place."""

import gzip
from datetime import date
from pathlib import Path

import pytest

from exchange.management.traces.sources import read_jobs, read_nodes, read_prices
from exchange.management.traces.table import TraceRefused

DAY = frozenset({date(2017, 10, 9)})
JOBS = "timestamp,duration,num_gpus,gpu_time,cluster\n"
PRICES = "region,gpu_model,currency,on_demand_per_gpu_h,spot_median_per_gpu_h\n"


def written(tmp_path: Path, text: str, name: str = "trace.csv") -> Path:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    return path


def test_it_keeps_the_jobs_of_the_day_asked_for(tmp_path: Path) -> None:
    lines = "2017-10-09 07:01:55,7200.0,4,28800,11cb48\n2017-10-10 07:01:55,66.0,1,66,11cb48\n"

    (job,) = read_jobs(written(tmp_path, JOBS + lines), days=DAY)

    assert (job.row, job.submitted_hour, job.gpus, job.hours) == (2, 7, 4, 2.0)


def test_it_reads_gzip_as_well(tmp_path: Path) -> None:
    path = tmp_path / "trace.csv.gz"
    path.write_bytes(gzip.compress((JOBS + "2017-10-09 07:00:00,60,1,60,a\n").encode()))

    assert len(read_jobs(path, days=DAY)) == 1


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("timestamp,duration\n", "row 1: no column num_gpus, cluster"),
        (JOBS + "2017-10-09 07:00:00,60,1,60\n", "row 2: not as many cells"),
        (JOBS + "yesterday,60,1,60,a\n", "row 2, column timestamp"),
        (JOBS + "2017-10-09 07:00:00,soon,1,60,a\n", "row 2, column duration"),
        (JOBS + "2017-10-09 07:00:00,60,nan,60,a\n", "row 2, column num_gpus"),
        (JOBS + "2017-10-09 07:00:00,60,0,60,a\n", "row 2, column num_gpus"),
        (JOBS + "2017-10-10 07:00:00,60,1,60,a\n", "no job was submitted on 2017-10-09"),
    ],
)
def test_it_names_the_place_of_what_it_refuses(tmp_path: Path, text: str, place: str) -> None:
    with pytest.raises(TraceRefused, match=place):
        read_jobs(written(tmp_path, text), days=DAY)


def test_it_refuses_a_file_that_is_not_gzip(tmp_path: Path) -> None:
    with pytest.raises(TraceRefused, match="cannot be read"):
        read_jobs(written(tmp_path, JOBS, name="trace.csv.gz"), days=DAY)


def test_it_refuses_a_file_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / "nodes.csv"
    path.write_bytes(b"gpu_model,gpu_capacity_num\n\xff\xfe,8\n")

    with pytest.raises(TraceRefused, match="cannot be read"):
        read_nodes(path)


def test_it_reads_nodes(tmp_path: Path) -> None:
    text = "gpu_model,gpu_capacity_num,cpu_num,node_name\nA10,1,128,0\nH800,8,192,1\n"

    first, second = read_nodes(written(tmp_path, text))

    assert (first.model, first.gpus, second.gpus) == ("A10", 1, 8)


def test_the_lowest_list_price_of_a_region_counts(tmp_path: Path) -> None:
    text = PRICES + "a,A10,CNY,12,3\na,A10,CNY,10,\nb,A10,CNY,9,9\nb,A10,USD,1,\n"

    prices = read_prices(written(tmp_path, text), currency="CNY")

    assert prices.listed == {("A10", "a"): 10.0, ("A10", "b"): 9.0}
    assert prices.spot_ratios["A10"] == [0.25, 1.0]


def test_a_region_without_a_price_takes_the_lowest_of_all(tmp_path: Path) -> None:
    prices = read_prices(written(tmp_path, PRICES + "a,A10,CNY,12,3\n"), currency="CNY")

    assert prices.listed_near("A10", "nowhere") == 12.0
    with pytest.raises(KeyError):
        prices.listed_near("H100", "a")

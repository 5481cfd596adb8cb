"""The meter agent counts what it saw twice in a row, and cuts readings where the clock strikes."""

from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from settlement.meter_agent.counting import Assignment, Count, Device, Look, Pace, advance
from settlement.meter_agent.events import event_of, instant, millis
from settlement.meter_agent.exporters import NAMES, Chip, chips_on

MINUTE = 60_000
HOUR = 60 * MINUTE
START = 490_000 * HOUR
PACE = Pace(every_ms=5 * MINUTE, gap_max_ms=2 * MINUTE)
SERVES = Assignment("ctr_1", START, START + HOUR)
DEVICE = Device("dev_1", "chip", 1_000, (SERVES,))
BEGUN = Count("boot", START, START, chips={"chip": Chip(energy_mj=100)})
DCGM = """
# HELP DCGM_FI_DEV_GPU_UTIL GPU utilization (in %).
# TYPE DCGM_FI_DEV_GPU_UTIL gauge
DCGM_FI_DEV_GPU_UTIL{gpu="0",UUID="GPU-1",modelName="A \\"B\\"",Hostname="n{1}"} 97
DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION{gpu="0",UUID="GPU-1"} 15152422938
DCGM_FI_DEV_POWER_USAGE{gpu="0",UUID="GPU-1"} 68.244000
DCGM_FI_DEV_GPU_UTIL{gpu="1",UUID="GPU-2",GPU_I_ID="3"} NaN
DCGM_FI_DEV_POWER_USAGE{gpu="1",UUID="GPU-2",GPU_I_ID="3"} 2.5e1 1756891340680
DCGM_FI_DEV_SM_CLOCK{gpu="2",UUID="GPU-3"} 135
this is no sample
"""
NPU = """
npu_chip_info_utilization{id="0",vdie_id="D-0",model_name="910B"} 36
npu_chip_info_power{id="0",vdie_id="D-0",model_name="910B"} 188.5
npu_chip_info_health_status{id="0",vdie_id="D-0",model_name="910B"} 1
npu_chip_info_utilization{id="1",vdie_id="D-1",model_name="910B"} 0
npu_chip_info_health_status{id="1",vdie_id="D-1",model_name="910B"} 0
npu_chip_info_power{id="2"} 90
npu_chip_info_health_status{id="2"} -1
npu_chip_info_power{id="3"} 90
"""


def look(after_ms: int, chip: Chip | None = Chip()) -> Look:  # noqa: B008
    return Look(START + after_ms, {} if chip is None else {"chip": chip}, 1)


def test_it_reads_what_dcgm_exporter_says() -> None:
    assert chips_on(DCGM, NAMES["dcgm"]) == {
        "GPU-1": Chip(970_000, 15_152_422_938, 68_244),
        "GPU-2/3": Chip(None, None, 25_000),
    }


def test_it_reads_what_npu_exporter_says_and_leaves_out_what_is_not_healthy() -> None:
    assert chips_on(NPU, NAMES["npu"]) == {
        "D-0": Chip(360_000, None, 188_500),
        "3": Chip(None, None, 90_000),
    }


def test_other_names_can_be_configured() -> None:
    names = replace(NAMES["npu"], chip=("card",), power_watts="watts")
    assert chips_on('watts{card="a"} 1', names) == {"a": Chip(None, None, 1_000)}


def test_a_reading_is_cut_when_the_clock_strikes_between_two_looks() -> None:
    before = replace(BEGUN, at_ms=START + 4 * MINUTE, lots_ms=1_000 * 4 * MINUTE)

    after, readings = advance(before, look(5 * MINUTE + 6), DEVICE, PACE)

    assert [(each["starts_ms"], each["ends_ms"]) for each in readings] == [
        (START, START + 5 * MINUTE)
    ]
    assert (readings[0]["seq"], readings[0]["accel_ms_total"]) == (1, 5 * MINUTE)
    assert (after.seq, after.cut_ms) == (1, START + 5 * MINUTE)
    assert after.lots_ms == 1_000 * (5 * MINUTE + 6)


def test_what_was_not_seen_on_both_sides_does_not_count() -> None:
    gone, _ = advance(BEGUN, look(MINUTE, None), DEVICE, PACE)
    back, _ = advance(gone, look(2 * MINUTE), DEVICE, PACE)
    after, _ = advance(back, look(3 * MINUTE), DEVICE, PACE)

    assert [each.lots_ms // 1_000 for each in (gone, back, after)] == [0, 0, MINUTE]


def test_a_time_in_which_nobody_looked_is_cut_out_on_both_sides() -> None:
    before, _ = advance(BEGUN, look(MINUTE), DEVICE, PACE)

    after, readings = advance(before, look(40 * MINUTE), DEVICE, PACE)

    spans = [
        ((each["starts_ms"] - START) // MINUTE, (each["ends_ms"] - START) // MINUTE)
        for each in readings
    ]
    assert spans == [(0, 1), (1, 40)]
    assert {each["accel_ms_total"] for each in readings} == {MINUTE}
    assert after.lots_ms == before.lots_ms


def test_where_the_counters_stood_when_a_contract_began_is_a_reading_of_it() -> None:
    later = replace(DEVICE, assignments=(replace(SERVES, starts_ms=START + 7 * MINUTE),))
    count, sent = BEGUN, []
    for minute in range(1, 11):
        count, readings = advance(count, look(minute * MINUTE), later, PACE)
        sent += readings

    ends = [(each["ends_ms"] - START) // MINUTE for each in sent]
    assert ends == [7, 10]
    assert [each["seq"] for each in sent] == [1, 2]


def test_nothing_is_reported_outside_contracts_and_the_last_reading_ends_with_one() -> None:
    short = replace(DEVICE, assignments=(replace(SERVES, ends_ms=START + 7 * MINUTE),))
    count, sent = BEGUN, []
    for minute in range(1, 21):
        count, readings = advance(count, look(minute * MINUTE), short, PACE)
        sent += readings

    assert [(each["ends_ms"] - START) // MINUTE for each in sent] == [5, 7]


def test_a_part_of_a_devices_chips_counts_as_its_part_of_the_capacity() -> None:
    chips = {name: Chip() for name in "abcd"}
    eight = Device("dev_8", "node", 8_000, (SERVES,))
    count = replace(BEGUN, chips=chips)

    after, _ = advance(count, Look(START + MINUTE, chips, 8), eight, PACE)

    assert after.lots_ms == 4_000 * MINUTE


def test_energy_is_counted_over_a_counter_that_begins_again_and_from_power_without_one() -> None:
    half, _ = advance(BEGUN, look(MINUTE, Chip(energy_mj=700)), DEVICE, PACE)
    after, _ = advance(half, look(2 * MINUTE, Chip(energy_mj=50)), DEVICE, PACE)
    by_power, _ = advance(BEGUN, look(MINUTE, Chip(power_mw=500_000)), DEVICE, PACE)

    assert (half.energy_mj, after.energy_mj) == (600, 650)
    assert by_power.energy_mj == 500 * MINUTE


def test_utilization_is_the_average_of_a_reading() -> None:
    count, sent = BEGUN, []
    for minute in range(1, 11):
        busy = Chip(util_ppm=1_000_000 if minute <= 2 else 0)
        count, readings = advance(count, look(minute * MINUTE, busy), DEVICE, PACE)
        sent += readings

    assert [each["util_ppm"] for each in sent] == [400_000, 0]


def test_a_clock_that_was_set_back_counts_nothing_until_it_has_caught_up() -> None:
    count, _ = advance(BEGUN, look(MINUTE), DEVICE, PACE)

    assert advance(count, look(MINUTE), DEVICE, PACE) == (count, [])
    assert advance(count, look(30_000), DEVICE, PACE) == (count, [])


@given(st.lists(st.tuples(st.integers(1, 4 * MINUTE), st.booleans()), min_size=1, max_size=60))
def test_readings_follow_each_other_and_never_outrun_the_clock(
    looks: list[tuple[int, bool]],
) -> None:
    count, sent, at = BEGUN, [], 0
    for elapsed, is_there in looks:
        at += elapsed
        count, readings = advance(count, look(at, Chip() if is_there else None), DEVICE, PACE)
        sent += readings

    assert [each["seq"] for each in sent] == list(range(1, len(sent) + 1))
    points = [{"ends_ms": START, "accel_ms_total": 0}, *sent]
    for before, after in pairwise(points):
        assert after["starts_ms"] >= before["ends_ms"]
        grown = after["accel_ms_total"] - before["accel_ms_total"]
        assert 0 <= grown <= after["ends_ms"] - before["ends_ms"] + 1


def test_the_same_reading_is_the_same_event_to_the_letter() -> None:
    _, readings = advance(BEGUN, look(2 * MINUTE - 1), DEVICE, replace(PACE, every_ms=MINUTE))

    first, second = (event_of("mtr_1", dict(reversed(readings[0].items()))) for _ in range(2))
    assert first == second == event_of("mtr_1", readings[0])


@pytest.mark.parametrize("at_ms", [0, START, START + 1])
def test_moments_are_written_as_they_are_read(at_ms: int) -> None:
    assert millis(instant(at_ms)) == at_ms

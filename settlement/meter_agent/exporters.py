"""What exporters say of each chip: whether it is there, how busy it is, what it has used.

Names are those of NVIDIA's dcgm-exporter and of Ascend's npu-exporter; the configuration may name
others. A chip that is listed and not said to be unhealthy is there.
"""

import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import NamedTuple

from settlement.meter_agent.exposition import Sample, samples_in

PAGE_MAX = 32 * 2**20
SECONDS_MAX = 5.0
PPM_PER_PERCENT = 10_000
UTIL_MAX_PPM = 1_000_000
HEALTHY = 1.0


@dataclass(frozen=True, slots=True)
class Names:
    """Which series say what, and which labels name a chip (the first that is there)."""

    chip: tuple[str, ...]
    part: str  # label of a slice of a chip, if the chip is cut in slices
    utilization_percent: str
    energy_mj: str
    power_watts: str
    health: str


NAMES = {
    "dcgm": Names(
        chip=("UUID", "uuid"),
        part="GPU_I_ID",
        utilization_percent="DCGM_FI_DEV_GPU_UTIL",
        energy_mj="DCGM_FI_DEV_TOTAL_ENERGY_CONSUMPTION",
        power_watts="DCGM_FI_DEV_POWER_USAGE",
        health="",
    ),
    "npu": Names(
        chip=("vdie_id", "uuid", "id", "npuID"),
        part="",
        utilization_percent="npu_chip_info_utilization",
        energy_mj="",
        power_watts="npu_chip_info_power",
        health="npu_chip_info_health_status",
    ),
}


class Chip(NamedTuple):
    """One chip as an exporter sees it now; None for what it does not say."""

    util_ppm: int | None = None
    energy_mj: int | None = None
    power_mw: int | None = None


class ExporterSilent(Exception):
    """An exporter did not answer, or with something else than its page."""


def fetch_page(url: str) -> str:
    """Return an exporter's page. Raises ExporterSilent."""
    try:
        with urllib.request.urlopen(url, timeout=SECONDS_MAX) as answer:  # noqa: S310  # configured
            page: bytes = answer.read(PAGE_MAX)
    except (OSError, ValueError) as error:
        raise ExporterSilent(f"{url}: {error}") from error
    return page.decode(errors="replace")


def chips_on(page: str, names: Names) -> dict[str, Chip]:
    """Return the chips that are there, by what the exporter calls them."""
    told: dict[str, dict[str, float]] = {}
    for sample in _ours(samples_in(page), names):
        if chip := _chip_of(sample.labels, names):
            told.setdefault(chip, {})[sample.name] = sample.value
    return {
        chip: _chip(values, names)
        for chip, values in told.items()
        if values.get(names.health, HEALTHY) == HEALTHY
    }


def _ours(samples: Iterable[Sample], names: Names) -> Iterable[Sample]:
    wanted = {names.utilization_percent, names.energy_mj, names.power_watts, names.health} - {""}
    return (sample for sample in samples if sample.name in wanted)


def _chip_of(labels: Mapping[str, str], names: Names) -> str:
    chip = next((labels[name] for name in names.chip if labels.get(name)), "")
    part = labels.get(names.part, "") if names.part else ""
    return f"{chip}/{part}" if chip and part else chip


def _chip(values: Mapping[str, float], names: Names) -> Chip:
    util = values.get(names.utilization_percent)
    energy, power = values.get(names.energy_mj), values.get(names.power_watts)
    return Chip(
        None if util is None else min(max(0, round(util * PPM_PER_PERCENT)), UTIL_MAX_PPM),
        None if energy is None else max(0, int(energy)),
        None if power is None else max(0, round(power * 1_000)),
    )

"""The agent's configuration: one TOML file. docs/metering.md explains every line."""

import tomllib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from settlement.meter_agent.counting import Pace
from settlement.meter_agent.exporters import NAMES, Names


class BadConfig(Exception):
    """The configuration cannot be used; says where and why."""


@dataclass(frozen=True, slots=True)
class Exporter:
    """A page to look at."""

    url: str
    names: Names


@dataclass(frozen=True, slots=True)
class Config:
    """What the agent goes by."""

    url: str
    key_file: Path
    spool: Path
    look_seconds: float
    pace: Pace
    readings_max: int
    exporters: tuple[Exporter, ...]
    chips: dict[str, tuple[str, ...]]  # by serial, of devices with several

    @property
    def token(self) -> str:
        """The meter's key. Raises BadConfig."""
        try:
            return self.key_file.read_text().strip()
        except OSError as error:
            raise BadConfig(f"exchange.key_file: {error}") from error


def read_config(path: Path) -> Config:
    """Return what a file says. Raises BadConfig."""
    try:
        told = tomllib.loads(path.read_text())
    except OSError as error:
        raise BadConfig(str(error)) from error
    except ValueError as error:  # of TOML, and of text
        raise BadConfig(f"{path}: {error}") from error
    exchange, agent = _table(told, "exchange"), _table(told, "agent")
    exporters = tuple(_exporter(each, n) for n, each in enumerate(told.get("exporter", ()), 1))
    if not exporters:
        raise BadConfig("exporter: name at least one [[exporter]]")
    reading_seconds = _number(agent, "reading_seconds", 300)
    return Config(
        url=_text(exchange, "exchange.url").rstrip("/"),
        key_file=Path(_text(exchange, "exchange.key_file")),
        spool=Path(_text(agent, "agent.spool")),
        look_seconds=_number(agent, "look_seconds", 10),
        pace=Pace(int(reading_seconds * 1000), int(_number(agent, "gap_seconds", 120) * 1000)),
        readings_max=int(_number(agent, "readings_max", 1_000_000)),
        exporters=exporters,
        chips=dict(_chips(each) for each in told.get("device", ())),
    )


def _exporter(told: dict[str, Any], number: int) -> Exporter:
    kind = told.get("kind")
    if kind not in NAMES:
        raise BadConfig(f"exporter {number}: kind is one of {', '.join(NAMES)}")
    names = dict(told.get("names", {}))
    if "chip" in names:
        names["chip"] = tuple(names["chip"])
    try:
        return Exporter(_text(told, "exporter.url"), replace(NAMES[kind], **names))
    except TypeError as error:
        raise BadConfig(f"exporter {number}: names: {error}") from error


def _chips(told: dict[str, Any]) -> tuple[str, tuple[str, ...]]:
    chips = told.get("chips")
    if not isinstance(chips, list) or not chips:
        raise BadConfig("device.chips: name at least one, as the exporter does")
    return _text(told, "device.serial"), tuple(map(str, chips))


def _table(told: dict[str, Any], name: str) -> dict[str, Any]:
    found = told.get(name)
    if not isinstance(found, dict):
        raise BadConfig(f"[{name}] is missing")
    return found


def _text(told: dict[str, Any], name: str) -> str:
    found = told.get(name.rpartition(".")[2])
    if not isinstance(found, str) or not found:
        raise BadConfig(f"{name} is missing")
    return found


def _number(told: dict[str, Any], name: str, usual: float) -> float:
    found = told.get(name, usual)
    if isinstance(found, bool) or not isinstance(found, int | float) or found <= 0:
        raise BadConfig(f"agent.{name}: a number above nothing")
    return float(found)

"""Looks at the exporters, counts, and spools; a second thread carries readings to the exchange."""

import logging
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from settlement.meter_agent.config import Config
from settlement.meter_agent.counting import Count, Device, Look, Pace, advance
from settlement.meter_agent.events import event_of
from settlement.meter_agent.exchange import Courier, Exchange, ExchangeSilent, watch_of
from settlement.meter_agent.exporters import Chip, ExporterSilent, chips_on, fetch_page
from settlement.meter_agent.spool import Spool

logger = logging.getLogger(__name__)

WATCH = "watch"
ASK_EVERY, ASK_AGAIN = 60.0, 5.0
STEP_MAX = 1.0  # seconds by which clocks may be slewed between two looks
IDLE_MAX = 1.0


class Counter:
    """Counts what the exporters show of the devices that the exchange knows."""

    def __init__(self, config: Config, spool: Spool) -> None:
        self.config, self.spool = config, spool
        self.counts = spool.counts()

    def look(self, at_ms: int, *, is_steady: bool = True) -> None:
        """Look at every exporter once, and write down what follows from it.

        If the clock was set since the last look, nothing counts that lies between.
        """
        told = self.spool.kept(WATCH)
        if told is None:
            return  # the exchange has not said yet what there is to watch
        watch, seen = watch_of(told), self._seen()
        pace = self.config.pace if is_steady else replace(self.config.pace, gap_max_ms=0)
        events = [
            event_of(watch.meter, reading)
            for device in watch.devices
            for reading in self._count(device, seen, at_ms, pace)
        ]
        self.spool.write(self.counts, events, most=self.config.readings_max)

    def _seen(self) -> dict[str, Chip]:
        seen: dict[str, Chip] = {}
        for exporter in self.config.exporters:
            try:
                seen |= chips_on(fetch_page(exporter.url), exporter.names)
            except ExporterSilent as silent:
                logger.warning("an exporter is silent: %s", silent)
        return seen

    def _count(
        self, device: Device, seen: Mapping[str, Chip], at_ms: int, pace: Pace
    ) -> list[dict[str, Any]]:
        names = self.config.chips.get(device.serial, (device.serial,))
        chips = {name: seen[name] for name in names if name in seen}
        before = self.counts.get(device.id)
        if before is None:
            if chips:  # a device is counted from the first time that it is seen here
                self.counts[device.id] = Count(str(uuid.uuid4()), at_ms, at_ms, chips=chips)
            return []
        self.counts[device.id], readings = advance(
            before, Look(at_ms, chips, len(names)), device, pace
        )
        return readings


class Clock:
    """The wall clock, which may be set, held against one that only goes on."""

    def __init__(self) -> None:
        self.wall, self.steady = time.time(), time.monotonic()

    def now_ms(self) -> tuple[int, bool]:
        """Return the time, and whether the clock was left alone since it was asked last."""
        wall, steady = time.time(), time.monotonic()
        step = (wall - self.wall) - (steady - self.steady)
        if abs(step) > STEP_MAX:
            logger.warning("the clock was set by %.1f s", step)
        self.wall, self.steady = wall, steady
        return int(wall * 1000), abs(step) <= STEP_MAX


def run(config: Config, stop: threading.Event) -> bool:
    """Look, count and carry until ``stop`` is set; return whether nothing broke on the way."""
    config.spool.parent.mkdir(parents=True, exist_ok=True)
    spool = Spool(config.spool)
    broken = threading.Event()
    carrier = threading.Thread(target=_carry, args=(config, stop, broken), daemon=True)
    carrier.start()
    counter, clock = Counter(config, spool), Clock()
    while not stop.is_set():
        begun = time.monotonic()
        at_ms, is_steady = clock.now_ms()
        counter.look(at_ms, is_steady=is_steady)
        stop.wait(max(0.0, config.look_seconds - (time.monotonic() - begun)))
    carrier.join()  # a request that is on its way ends by itself
    spool.close()
    return not broken.is_set()


def _carry(config: Config, stop: threading.Event, broken: threading.Event) -> None:
    """Carry until ``stop`` is set. What breaks here ends the agent, which is started again."""
    try:
        _carry_on(config, stop)
    except Exception:
        logger.exception("the courier broke")
        broken.set()
        stop.set()


def _carry_on(config: Config, stop: threading.Event) -> None:
    spool, exchange = Spool(config.spool), Exchange(config)
    courier, ask_at, carry_at = Courier(exchange, spool), 0.0, 0.0
    while not stop.is_set():
        now = time.monotonic()
        if now >= ask_at:
            ask_at = now + _ask(exchange, spool)
        if now >= carry_at:
            carry_at = now + courier.carry()
        stop.wait(max(0.0, min(carry_at - time.monotonic(), IDLE_MAX)))
    spool.close()


def _ask(exchange: Exchange, spool: Spool) -> float:
    """Ask what to watch; return when to ask again. What was said last holds meanwhile."""
    try:
        spool.keep(WATCH, exchange.watch())
    except ExchangeSilent as silent:
        logger.warning("the exchange does not say what to watch: %s", silent)
        return ASK_AGAIN if spool.kept(WATCH) is None else ASK_EVERY
    return ASK_EVERY

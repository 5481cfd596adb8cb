"""``python -m settlement.meter_agent CONFIG``, or ``compute-meter.pyz CONFIG``."""

import argparse
import logging
import signal
import sys
import threading
from pathlib import Path

from settlement.meter_agent.agent import run
from settlement.meter_agent.config import BadConfig, Config, read_config
from settlement.meter_agent.spool import Spool


def main() -> None:
    """End with what ``begin`` returns."""
    sys.exit(begin())


def begin() -> int:
    """Run until SIGTERM or SIGINT; return 2 for a configuration that cannot be used."""
    parser = argparse.ArgumentParser(description="Report what accelerators deliver.")
    parser.add_argument("config", type=Path, help="a TOML file; docs/metering.md explains it")
    parser.add_argument("--check", action="store_true", help="read the configuration and end")
    parser.add_argument("--status", action="store_true", help="say what waits on the disk, and end")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(message)s", stream=sys.stderr)
    try:
        config = read_config(options.config)
        _ = config.token
    except BadConfig as bad:
        print(bad, file=sys.stderr)  # noqa: T201
        return 2
    if options.status:
        _say(config)
    elif not options.check:
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        return 0 if run(config, stop) else 1
    return 0


def _say(config: Config) -> None:
    spool = Spool(config.spool)
    print(f"{spool.waiting()} readings wait, {len(spool.refused())} were refused")  # noqa: T201
    for _, answer in spool.refused()[-10:]:
        print(f"  {answer}")  # noqa: T201
    spool.close()

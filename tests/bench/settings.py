"""The real settings, with two more doors for comparison: what the processes under test run on."""

from exchange.config.settings import *  # noqa: F403

ROOT_URLCONF = "tests.bench.bare_doors"

"""The documented codes are the codes that there are."""

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core.management import call_command
from django.utils.module_loading import import_string

from exchange.management.commands.api_errors import error_page
from exchange.services.fault_codes import FAULT_CODES
from tests.api import refused

PAGE = Path(settings.BASE_DIR) / "docs" / "api-errors.md"


def test_the_page_is_the_one_that_the_command_writes(capsys: pytest.CaptureFixture[str]) -> None:
    call_command("api_errors")
    assert PAGE.read_text() == capsys.readouterr().out == error_page(), "manage.py api_errors"


def test_every_code_has_one_row() -> None:
    codes = re.findall(r"^\| `(\w+)` \|", PAGE.read_text(), re.MULTILINE)
    table = import_string(settings.REFUSALS)
    refusals = sorted(code for _, code in table.values())
    assert codes == [*refusals, *sorted(FAULT_CODES)]
    assert all(kind.__doc__ for kind in table)


def test_every_code_of_the_table_of_refused_bodies_is_documented() -> None:
    tables = (refused.HOURLY, refused.BLOCK, refused.VOLUME, refused.STANDING, refused.OFFER,
              refused.MAINTENANCE, refused.BULK, refused.FILES)  # fmt: skip
    found = {row[0] for table in tables for row in table}
    assert found <= set(FAULT_CODES)
    elsewhere = {"cost_too_large", "nothing_to_stand_for", "preview_too_long"}
    elsewhere |= {"offer_place_fixed", "state_not_taken", "version_stale"}
    assert set(FAULT_CODES) - found <= elsewhere | {"quantity_below_sold", "volume_off_period"}

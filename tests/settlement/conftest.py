from collections.abc import Iterator

import pytest
from django.db import connection


@pytest.fixture
def clean_readings(transactional_db: None) -> Iterator[None]:
    """Empty the partitioned readings, which Django's own clean-up does not know."""
    yield
    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE settlement_reading")

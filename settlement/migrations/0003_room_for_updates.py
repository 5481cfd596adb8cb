"""Room on each page for updates in place: balances and holds change often, and no index with them."""

from django.db import migrations

ROOMY = """
ALTER TABLE settlement_ledgeraccount SET (fillfactor = 50);
ALTER TABLE settlement_hold SET (fillfactor = 80);
"""
FULL = """
ALTER TABLE settlement_ledgeraccount RESET (fillfactor);
ALTER TABLE settlement_hold RESET (fillfactor);
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0002_readings")]
    operations = [migrations.RunSQL(ROOMY, FULL)]

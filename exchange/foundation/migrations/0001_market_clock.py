"""The one market clock: now(), shifted only in a database that is marked as a play."""

from django.db import migrations

CREATE = """
CREATE TABLE market_clock (
    singleton boolean PRIMARY KEY DEFAULT true CHECK (singleton),
    is_play boolean NOT NULL DEFAULT false,
    shift interval NOT NULL DEFAULT '0',
    CHECK (is_play OR shift = '0')
);
INSERT INTO market_clock DEFAULT VALUES;
CREATE FUNCTION market_now() RETURNS timestamptz LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT now() + shift FROM market_clock $$;
"""
DROP = "DROP FUNCTION market_now(); DROP TABLE market_clock;"


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []
    operations = [migrations.RunSQL(CREATE, DROP)]

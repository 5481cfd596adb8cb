"""One row that changes whenever the catalogue does, so that a copy in memory knows it is old."""

from django.db import migrations

TABLES = ["accelerator", "aimodel", "link", "region", "route", "site"]
TRIGGERS = "\n".join(
    f"""
    CREATE TRIGGER catalogue_renewed
    AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON exchange_{table}
    FOR EACH STATEMENT EXECUTE FUNCTION renew_catalogue_version();
    """
    for table in TABLES
)
FORWARDS = f"""
    CREATE TABLE catalogue_version (
        one boolean PRIMARY KEY DEFAULT true CHECK (one),
        version uuid NOT NULL DEFAULT gen_random_uuid()
    );
    INSERT INTO catalogue_version DEFAULT VALUES;
    CREATE FUNCTION renew_catalogue_version() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        UPDATE catalogue_version SET version = gen_random_uuid();
        RETURN NULL;
    END $$;
    {TRIGGERS}
"""
BACKWARDS = "\n".join(
    [f"DROP TRIGGER catalogue_renewed ON exchange_{table};" for table in TABLES]
    + ["DROP FUNCTION renew_catalogue_version();", "DROP TABLE catalogue_version;"]
)


class Migration(migrations.Migration):
    dependencies = [("exchange", "0001_initial")]
    operations = [migrations.RunSQL(FORWARDS, BACKWARDS)]

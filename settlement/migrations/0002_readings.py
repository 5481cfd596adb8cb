"""What Django's models cannot say: readings by day, and one contract at a time for a device."""

from django.db import migrations

# A day's readings are one partition, made ahead by settlement.services.partitions; there is no
# default partition, in which misdated rows would gather unseen. Keys to other tables are checked
# by the service that takes a batch in, for all its rows at once.
READINGS = """
CREATE TABLE settlement_reading (
    id bigint NOT NULL,
    meter_id bigint NOT NULL,
    device_id bigint NOT NULL,
    contract_id bigint NOT NULL,
    boot_id uuid NOT NULL,
    seq bigint NOT NULL CHECK (seq > 0),
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    accel_ms_total bigint NOT NULL CHECK (accel_ms_total >= 0),
    energy_mj_total bigint CHECK (energy_mj_total >= 0),
    util_ppm integer CHECK (util_ppm BETWEEN 0 AND 1000000),
    quality varchar(16) NOT NULL,
    CHECK (starts_at < ends_at),
    PRIMARY KEY (id, ends_at)
) PARTITION BY RANGE (ends_at);
CREATE INDEX reading_of_stream ON settlement_reading (device_id, meter_id, boot_id, ends_at);
CREATE INDEX reading_of_contract ON settlement_reading (contract_id, ends_at);
CREATE UNLOGGED TABLE settlement_readingstage (
    meter_id bigint NOT NULL,
    event_id varchar(128) NOT NULL,
    content_sha256 bytea NOT NULL,
    device_id bigint NOT NULL,
    contract_id bigint NOT NULL,
    boot_id uuid NOT NULL,
    seq bigint NOT NULL,
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    accel_ms_total bigint NOT NULL,
    energy_mj_total bigint,
    util_ppm integer,
    quality varchar(16) NOT NULL
);
CREATE FUNCTION settlement_append_only() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION '% is append-only', TG_TABLE_NAME USING ERRCODE = '23001'; END $$;
CREATE TRIGGER reading_append_only BEFORE UPDATE OR DELETE ON settlement_reading
    FOR EACH ROW EXECUTE FUNCTION settlement_append_only();
"""
NO_READINGS = """
DROP TABLE settlement_reading, settlement_readingstage;
DROP FUNCTION settlement_append_only();
"""

ASSIGNMENTS = """
CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE settlement_deviceassignment ADD CONSTRAINT device_assignment_one_contract
    EXCLUDE USING gist (device_id WITH =, tstzrange(starts_at, ends_at) WITH &&);
"""
NO_ASSIGNMENTS = """
ALTER TABLE settlement_deviceassignment DROP CONSTRAINT device_assignment_one_contract;
"""


class Migration(migrations.Migration):
    dependencies = [("settlement", "0001_initial")]
    operations = [
        migrations.RunSQL(READINGS, NO_READINGS),
        migrations.RunSQL(ASSIGNMENTS, NO_ASSIGNMENTS),
    ]

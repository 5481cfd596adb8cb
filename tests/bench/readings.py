"""Readings through the whole door, against COPY -> stage -> INSERT ON CONFLICT of the same rows.

The door: one POST of a CloudEvents batch of 1,000, from the first byte sent to the last byte of the
answer, which has a line for each event. The key is checked and counted, each event parsed, hashed,
told from repeats, held against its device's counters and the clock, and stored; streams follow.

Beside it: the rows of that very batch by psycopg from this process, in one database transaction,
into tables of the same columns, indexes, CHECKs and partitions: COPY into an unlogged stage, then
INSERT ON CONFLICT into the events, then the readings. What is judged is what a program pays that
has the rows as Python values and does nothing else with them; one text that is ready, which no
program has, stands beside it.
"""

import statistics
import time
from datetime import timedelta
from typing import Any

from django.db import connection, transaction

from accounts.models.roles import Scope
from accounts.services.api_keys import issue_key
from settlement.models import Device
from settlement.services.metering import NewAssignment, NewDevice, assign_devices, enroll_devices
from tests.bench import house
from tests.bench.stall import RATE, as_json
from tests.bench.tables import Table
from tests.bench.wire import Wire, post
from tests.settlement.deliveries import (
    HOUR,
    SITE,
    TEN,
    Delivery,
    a_delivery,
    an_event,
    play_at,
)

RATIO_MIN = 0.35
ROUNDS = 21
WARM_UP = 4
DEVICES = 100
EACH = 10
SIZE = DEVICES * EACH
STEP = timedelta(minutes=1)
HOURS = 6
OK = 200
BATCH_TYPE = "application/cloudevents-batch+json"
COLUMNS = (
    "meter_id, event_id, content_sha256, device_id, contract_id, boot_id, seq, starts_at, ends_at, "
    "accel_ms_total, energy_mj_total, util_ppm, quality"
)
LAST = f"""
SELECT {COLUMNS.replace("meter_id", "reading.meter_id")}
FROM settlement_reading AS reading JOIN settlement_readingevent AS event USING (id)
ORDER BY reading.id DESC LIMIT {SIZE}
"""  # noqa: S608
PLAIN = COLUMNS.replace("event_id, content_sha256, ", "")
BARE = """
CREATE UNLOGGED TABLE {0}_stage (LIKE settlement_readingstage);
CREATE TABLE {0}_event (LIKE settlement_readingevent INCLUDING ALL);
CREATE TABLE {0}_reading (LIKE settlement_reading INCLUDING ALL) PARTITION BY RANGE (ends_at);
CREATE TABLE {0}_day PARTITION OF {0}_reading
    FOR VALUES FROM ('2026-01-05 00:00+00') TO ('2026-01-06 00:00+00');
"""
BARE_STORE = f"""
WITH staged AS (
    DELETE FROM {{0}}_stage RETURNING *
), fresh AS (
    INSERT INTO {{0}}_event (meter_id, event_id, content_sha256)
    SELECT meter_id, event_id, content_sha256 FROM staged
    ON CONFLICT (meter_id, event_id) DO NOTHING RETURNING id, event_id
)
INSERT INTO {{0}}_reading (id, {PLAIN}) SELECT id, {PLAIN} FROM staged JOIN fresh USING (event_id)
"""  # noqa: S608


def run() -> list[Table]:
    """Report and store the same thousand readings in turn."""
    with house.fresh_database():
        delivery, devices = _site()
        meter, provider = delivery.meter, delivery.provider
        scopes = [Scope.READINGS_WRITE]
        token = issue_key(provider, name="bench", scopes=scopes, meter=meter.public_id, rate=RATE)[
            1
        ]
        with connection.cursor() as cursor:
            for name in ("bare_rows", "bare_text"):
                cursor.execute(BARE.format(name))
            cursor.execute("ANALYZE")
        with house.processes() as port, Wire(port) as wire:
            rounds = [
                _round(wire, token, _batch(delivery, devices, n)) for n in range(WARM_UP + ROUNDS)
            ][WARM_UP:]
    return [_table(rounds)]


def _site() -> tuple[Delivery, list[Device]]:
    """Assign a hundred devices to one contract of some hours."""
    play_at(TEN + HOURS * HOUR)
    delivery = a_delivery(hours=HOURS, lots=DEVICES * 1_000)
    contract = delivery.contract
    devices = enroll_devices(
        [
            NewDevice(
                organization_id=contract.provider_id,
                site_code=SITE,
                accelerator_code=contract.accelerator_code,
                serial=f"accelerator {number}",
            )
            for number in range(DEVICES)
        ],
        now=TEN,
    )
    span = {"starts_at": contract.starts_at, "ends_at": contract.ends_at}
    assign_devices(
        [NewAssignment(device_id=each.pk, contract_id=contract.pk, **span) for each in devices]
    )
    return delivery, devices


def _token(delivery: Delivery) -> str:
    """Return the token of a key of the meter that is counted and never refused."""
    _, token = issue_key(
        delivery.provider,
        name="bench",
        scopes=[Scope.READINGS_WRITE],
        meter=delivery.meter.public_id,
        rate=RATE,
    )
    return token


def _batch(delivery: Delivery, devices: list[Device], number: int) -> list[dict[str, Any]]:
    """Return the readings of ten minutes of all devices."""
    step_ms = STEP // timedelta(milliseconds=1)
    return [
        an_event(
            delivery,
            device=device,
            seq=seq + 1,
            starts=TEN + seq * STEP,
            ends=TEN + (seq + 1) * STEP,
            total=(seq + 1) * step_ms,
            energy_mj_total=(seq + 1) * 30_000_000,
            util_ppm=900_000,
            quality="measured",
        )
        for device in devices
        for seq in range(number * EACH, (number + 1) * EACH)
    ]


def _round(wire: Wire, token: str, batch: list[dict[str, Any]]) -> dict[str, float]:
    """Return the seconds of one batch through the door, and of its rows stored bare."""
    headers = {"Authorization": f"Bearer {token}", "Content-Type": BATCH_TYPE}
    request = post("/api/v1/readings", as_json(batch), headers)
    begun = time.perf_counter()
    answer = wire.send(request, OK)
    taken = {"door": time.perf_counter() - begun}
    assert b'"accepted":%d,' % SIZE in answer, answer[:500]
    with connection.cursor() as cursor:
        cursor.execute(LAST)
        rows = cursor.fetchall()
        with cursor.copy(f"COPY ({LAST}) TO STDOUT") as copy:
            text = b"".join(copy)
    return taken | {"bare_rows": _store("bare_rows", rows), "bare_text": _store("bare_text", text)}


def _store(table: str, rows: list[tuple[Any, ...]] | bytes) -> float:
    begun = time.perf_counter()
    with transaction.atomic(), connection.cursor() as cursor:
        with cursor.copy(f"COPY {table}_stage ({COLUMNS}) FROM STDIN") as copy:
            if isinstance(rows, bytes):
                copy.write(rows)
            else:
                for row in rows:
                    copy.write_row(row)
        cursor.execute(BARE_STORE.format(table))
        assert cursor.rowcount == SIZE
    return time.perf_counter() - begun


def _table(rounds: list[dict[str, float]]) -> Table:
    table = Table(
        f"Batches of {SIZE:,} readings: at least {RATIO_MIN} of the rate of COPY -> stage -> "
        "INSERT ON CONFLICT of the same rows, as Python values, into tables of the same shape",
        [
            "beside",
            "judged",
            "batches",
            "readings/s, whole door",
            "readings/s",
            "ratio",
            "from",
            "to",
        ],
    )
    for name, title in (
        ("bare_rows", "rows as Python values"),
        ("bare_text", "one text that is ready"),
    ):
        ratios = [taken[name] / taken["door"] for taken in rounds]
        ratio = statistics.median(ratios)
        rates = [SIZE / statistics.median(taken[of] for taken in rounds) for of in ("door", name)]
        judged = name == "bare_rows"
        table.add(
            title,
            "yes" if judged else "",
            len(rounds),
            *(f"{rate:,.0f}" for rate in rates),
            *(f"{value:.2f}" for value in (ratio, min(ratios), max(ratios))),
            holds=ratio >= RATIO_MIN or not judged,
        )
    return table

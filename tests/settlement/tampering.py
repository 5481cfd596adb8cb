"""Write past every trigger and constraint of the books, as whoever owns their tables could.

Needs no superuser, so that the suite runs on a server of somebody else's.
"""

from django.db import connection

LOOSEN = """
DO $$
DECLARE command text;
BEGIN
    FOR command IN
        SELECT format('ALTER TABLE %s DROP CONSTRAINT %I', conrelid::regclass, conname)
        FROM pg_constraint
        WHERE contype IN ('f', 'c') AND coninhcount = 0
          AND (conrelid::regclass::text LIKE 'settlement\\_%'
               OR confrelid::regclass::text LIKE 'settlement\\_%')
        UNION ALL
        SELECT DISTINCT format('ALTER TABLE %s DISABLE TRIGGER USER', tgrelid::regclass)
        FROM pg_trigger
        WHERE NOT tgisinternal AND tgrelid::regclass::text LIKE 'settlement\\_%'
    LOOP
        EXECUTE command;
    END LOOP;
END $$
"""


def tamper(statement: str) -> None:
    """Carry out the statement with no rule in its way; until the test's transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(LOOSEN)
        cursor.execute(statement)

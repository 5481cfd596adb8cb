from django.db import migrations, models

# Deferred to the commit: the lock that puts commits in one order is held for an instant only, and
# a long publication does not make a gate wait.
FORWARDS = """
CREATE FUNCTION note_market_event() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    event_kind text := 'halt';
    event_word text;
BEGIN
    IF TG_TABLE_NAME = 'exchange_auction' THEN
        event_kind := 'auction';
        event_word := NEW.state;
    ELSIF NEW.lifted_at IS NULL THEN
        event_word := 'frozen';
    ELSE
        event_word := 'lifted';
    END IF;
    PERFORM pg_advisory_xact_lock(hashtext('market_events'));
    INSERT INTO exchange_marketevent (kind, subject, word, happened_at)
    VALUES (event_kind, NEW.id, event_word, market_now());
    PERFORM pg_notify('market_events', '');
    RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER auction_moved AFTER UPDATE OF state ON exchange_auction
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (OLD.state IS DISTINCT FROM NEW.state)
    EXECUTE FUNCTION note_market_event();
CREATE CONSTRAINT TRIGGER market_halted AFTER INSERT OR UPDATE OF lifted_at ON exchange_marketfreeze
    DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION note_market_event();
"""
BACKWARDS = """
DROP TRIGGER market_halted ON exchange_marketfreeze;
DROP TRIGGER auction_moved ON exchange_auction;
DROP FUNCTION note_market_event();
"""


class Migration(migrations.Migration):
    dependencies = [("exchange", "0003_risk")]
    operations = [
        migrations.CreateModel(
            name="MarketEvent",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("kind", models.CharField(help_text="auction or halt", max_length=8)),
                (
                    "subject",
                    models.BigIntegerField(help_text="the row of the auction or the halt"),
                ),
                (
                    "word",
                    models.CharField(help_text="the state, or frozen or lifted", max_length=10),
                ),
                ("happened_at", models.DateTimeField()),
            ],
            options={"ordering": ["id"]},
        ),
        migrations.AddIndex(
            model_name="auction",
            index=models.Index(
                condition=models.Q(("state", "published")),
                fields=["-published_at"],
                name="auction_published",
            ),
        ),
        migrations.RunSQL(FORWARDS, BACKWARDS),
    ]

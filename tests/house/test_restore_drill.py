"""A backup is worth what its restore is: made, restored beside, compared, audited."""

import json
import tarfile
from pathlib import Path

import psycopg
import pytest
from django.conf import settings
from django.db import connection

from exchange.config import backup
from exchange.config.backup import BackupFailed
from exchange.config.local_postgres import wheel_programs
from settlement.services.metering import ingest
from settlement.services.settling import settle_due
from tests.settlement.deliveries import HOUR, TEN, a_delivery, an_event, play_at

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def url(transactional_db: None) -> str:
    """The address of the test's own database, with a settled hour in it."""
    delivery = a_delivery()
    now = play_at(TEN + 3 * HOUR)
    ingest(delivery.meter, [an_event(delivery)])
    settle_due(now)
    server, _, _ = settings.DATABASE_URL.rpartition("/")
    return f"{server}/{connection.settings_dict['NAME']}"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    folder = tmp_path / "archive" / "auc_1"
    folder.mkdir(parents=True)
    (folder / "book.csv").write_text("bids")
    return tmp_path / "archive"


def databases(url: str) -> set[str]:
    with psycopg.connect(url) as there:
        found = there.execute("SELECT datname FROM pg_database WHERE datname LIKE 'drill_%'")
        return {str(name) for (name,) in found}


def test_the_drill_of_sound_books_finds_nothing_and_leaves_nothing(url: str, archive: Path) -> None:
    before = databases(url)

    assert backup.drill(url, archive) == []

    assert databases(url) == before


def test_the_drill_finds_books_that_do_not_add_up(url: str, archive: Path) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE settlement_ledgeraccount SET credits_posted = credits_posted + 1"
            " WHERE kind = 'fee'"
        )

    (wrong,) = backup.drill(url, archive)

    assert "settlement_audit --contents ended with 1" in wrong
    assert "BROKEN" in wrong


def test_a_backup_is_restored_only_into_what_is_empty(
    url: str, archive: Path, tmp_path: Path
) -> None:
    folder = backup.make(url, archive, tmp_path / "backups")

    with pytest.raises(BackupFailed, match="not empty"):
        backup.restore(folder, url, tmp_path / "new")


@pytest.mark.parametrize("name", [backup.DUMP, backup.ARCHIVE, backup.MANIFEST])
def test_a_backup_that_was_changed_is_not_restored(
    url: str, archive: Path, tmp_path: Path, name: str
) -> None:
    folder = backup.make(url, archive, tmp_path / "backups")
    (folder / name).write_bytes((folder / name).read_bytes()[:-1] + b"?")

    with pytest.raises(BackupFailed):
        backup.check(folder)


@pytest.mark.parametrize(
    ("name", "kind", "reason"),
    [
        ("../planted", tarfile.REGTYPE, "outside"),
        ("/planted", tarfile.REGTYPE, "outside"),
        ("link", tarfile.SYMTYPE, "neither a folder nor a file"),
    ],
)
def test_what_a_backup_would_plant_elsewhere_is_not_unpacked(
    tmp_path: Path, name: str, kind: bytes, reason: str
) -> None:
    member = tarfile.TarInfo(name)
    member.type, member.linkname = kind, "/etc"
    with tarfile.open(tmp_path / backup.ARCHIVE, "w") as tar:
        tar.addfile(member)
    (tmp_path / "new").mkdir()

    with (
        tarfile.open(tmp_path / backup.ARCHIVE) as tar,
        pytest.raises(BackupFailed, match=reason),
    ):
        backup._unpack(tar, tmp_path / "new")

    assert list((tmp_path / "new").iterdir()) == []
    assert not (tmp_path / "planted").exists()


def test_a_database_without_tables_is_not_backed_up(
    url: str, archive: Path, tmp_path: Path
) -> None:
    with backup._fresh(url) as empty:
        with pytest.raises(BackupFailed, match="no tables yet"):
            backup.make(empty, archive, tmp_path / "backups")
        with pytest.raises(BackupFailed, match="no tables yet"):
            backup.drill(empty, archive)


def test_a_database_that_does_not_answer_is_named(archive: Path, tmp_path: Path, url: str) -> None:
    nowhere = url.rpartition("/")[0] + "/no_such_database"

    with pytest.raises(BackupFailed, match="no_such_database"):
        backup.make(nowhere, archive, tmp_path / "backups")


def test_a_backup_that_fails_leaves_no_folder(
    archive: Path, tmp_path: Path, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "programs" / "pg_dump"
    program.parent.mkdir()
    program.write_text('#!/bin/sh\nfor word; do file="${word#--file=}"; done\n: >"$file"; exit 1\n')
    program.chmod(0o755)
    monkeypatch.setenv("PG_BIN", str(program.parent))

    with pytest.raises(BackupFailed, match="pg_dump ended with 1"):
        backup.make(url, archive, tmp_path / "backups")

    assert list((tmp_path / "backups").iterdir()) == []


def test_the_manifest_names_what_it_holds(url: str, archive: Path, tmp_path: Path) -> None:
    folder = backup.make(url, archive, tmp_path / "backups")

    manifest = json.loads((folder / backup.MANIFEST).read_text())

    assert set(manifest["sha256"]) == {"database.dump", "archive.tar"}
    assert folder.stat().st_mode & 0o077 == 0


def test_the_programs_are_those_of_the_servers_release_where_there_are_any(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    release = backup._release(url)
    (tmp_path / str(release)).mkdir()
    monkeypatch.delenv("PG_BIN", raising=False)
    monkeypatch.setattr(backup, "PROGRAMS_OF_RELEASE", (f"{tmp_path}/{{release}}",))
    assert backup._programs(url) == wheel_programs()

    (tmp_path / str(release) / "pg_dump").touch()
    assert backup._programs(url) == tmp_path / str(release)

    monkeypatch.setenv("PG_BIN", "/elsewhere")
    assert backup._programs(url) == Path("/elsewhere")

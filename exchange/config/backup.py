"""Backups that are known to be good, because each can be restored and audited.

``python -m exchange.config.backup make`` writes one into BACKUP_DIR: the database as pg_dump has
it, the archive of books and results, and a manifest with the SHA-256 of both.
``restore FOLDER DATABASE_URL ARCHIVE_DIR`` fills an empty database and a new folder from one.
``drill`` makes a backup, restores it beside the running market, compares, audits, throws the copy
away, and ends with 0 only if everything held.
"""

import hashlib
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
from environs import Env
from psycopg import sql

from exchange.config import local
from exchange.config.local_postgres import wheel_programs

CHECKOUT = Path(__file__).resolve().parents[2]
DUMP, ARCHIVE, MANIFEST = "database.dump", "archive.tar", "manifest.json"
COUNTED = (
    *("accounts_organization", "accounts_outboxevent", "exchange_auction", "exchange_bid"),
    *("settlement_batch", "settlement_contract", "settlement_deliveryperiod"),
    *("settlement_readingevent", "settlement_reading", "settlement_statement"),
    "settlement_transfer",
)
AUDITS = (
    ("manage.py", "migrate", "--check"),
    ("manage.py", "settlement_audit", "--contents"),
)
BLOCK = 1 << 20
# Where Debian and Ubuntu, the RPMs of PostgreSQL, and Homebrew (both kinds) put them.
PROGRAMS_OF_RELEASE = (
    "/usr/lib/postgresql/{release}/bin",
    "/usr/pgsql-{release}/bin",
    "/opt/homebrew/opt/postgresql@{release}/bin",
    "/usr/local/opt/postgresql@{release}/bin",
)


class BackupFailed(Exception):
    """A backup could not be made, restored or trusted; the text says why."""


def make(url: str, archive: Path, into: Path) -> Path:
    """Write a backup of a database and its archive; return its folder, which is whole or absent.

    The dump is one snapshot; the archive is copied after it, so that every file which the
    database names is there. The folder gets its name last.
    """
    _require_tables(url)
    into.mkdir(parents=True, exist_ok=True)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:6]}"
    growing = into / f".{name}"
    growing.mkdir(mode=0o700)
    try:
        _run("pg_dump", "--format=custom", f"--file={growing / DUMP}", url=url)
        with tarfile.open(growing / ARCHIVE, "w") as tar:
            if archive.exists():
                tar.add(archive, arcname=".")
        manifest = {
            "made_at": f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}",
            "sha256": {each: _sha256(growing / each) for each in (DUMP, ARCHIVE)},
        }
        (growing / MANIFEST).write_text(json.dumps(manifest, indent=1))
        _sync(growing)
        return growing.rename(into / name)
    except BaseException:
        shutil.rmtree(growing, ignore_errors=True)
        raise


def restore(folder: Path, url: str, archive: Path) -> None:
    """Fill an empty database and a new folder from a backup. Raises BackupFailed."""
    check(folder)
    if _has_tables(url):
        raise BackupFailed("the database is not empty; a backup is restored into a fresh one")
    if archive.exists() and any(archive.iterdir()):
        raise BackupFailed(f"{archive} is not empty")
    dump = str(folder / DUMP)
    _run("pg_restore", "--exit-on-error", "--no-owner", f"--dbname={_name(url)}", dump, url=url)
    archive.mkdir(parents=True, exist_ok=True)
    with tarfile.open(folder / ARCHIVE) as tar:
        _unpack(tar, archive)


def _unpack(tar: tarfile.TarFile, into: Path) -> None:
    """Unpack folders and plain files, all of them inside ``into``. Raises BackupFailed.

    By hand, since ``filter="data"`` came with Python 3.11.4, and Debian 12 has 3.11.2.
    """
    for member in tar:
        target = (into / member.name).resolve()
        if not target.is_relative_to(into.resolve()):
            raise BackupFailed(f"{member.name} would be unpacked outside of the archive")
        if member.isdir():
            target.mkdir(parents=True, exist_ok=True)
            continue
        file = tar.extractfile(member) if member.isfile() else None
        if file is None:
            raise BackupFailed(f"{member.name} is neither a folder nor a file")
        with file, target.open("xb") as written:
            shutil.copyfileobj(file, written)


def check(folder: Path) -> None:
    """Raise BackupFailed unless the folder's files are those that its manifest names."""
    try:
        manifest = json.loads((folder / MANIFEST).read_text())
        wrong = [n for n, known in manifest["sha256"].items() if _sha256(folder / n) != known]
    except (OSError, ValueError, KeyError) as error:
        raise BackupFailed(f"{folder} is no whole backup: {error}") from error
    if wrong:
        raise BackupFailed(f"{', '.join(wrong)} of {folder} changed since it was made")


def drill(url: str, archive: Path) -> list[str]:
    """Back up, restore beside, compare and audit; return what is wrong, nothing if all is well."""
    _require_tables(url)
    with tempfile.TemporaryDirectory(prefix="restore-drill-") as where, _fresh(url) as copy:
        before = facts(url)
        folder = make(url, archive, Path(where) / "backups")
        restore(folder, copy, Path(where) / "archive")
        return [
            *_lost(before, facts(copy)),
            *_unlike(archive, Path(where) / "archive"),
            *_audited(copy, Path(where) / "archive"),
        ]


def _has_tables(url: str) -> bool:
    try:
        with psycopg.connect(url) as connection:
            found = connection.execute("SELECT to_regclass('django_migrations')").fetchone()
    except psycopg.OperationalError as error:
        raise BackupFailed(f"the database does not answer: {error}") from error
    return found != (None,)


def _require_tables(url: str) -> None:
    if not _has_tables(url):
        raise BackupFailed(
            f"the database {_name(url)} has no tables yet: there is nothing to back up"
            " (`make run` and `manage.py migrate` make them; a demo's are in a database of its own)"
        )


def facts(url: str) -> dict[str, int | str]:
    """Return what a restored database must have at least: counts, and the end of the chain."""
    with psycopg.connect(url) as connection:
        found: dict[str, int | str] = {}
        for table in COUNTED:
            count = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
            row = connection.execute(count).fetchone()
            assert row is not None, "count(*) gives a row"
            found[table] = int(row[0])
        last = connection.execute(
            "SELECT encode(sha256, 'hex') FROM settlement_batch ORDER BY id DESC LIMIT 1"
        ).fetchone()
        found["chain"] = str(last[0]) if last else ""
        return found


def _lost(before: Mapping[str, int | str], after: Mapping[str, int | str]) -> Iterator[str]:
    """Yield what the copy has not; a market that went on meanwhile may have given it more."""
    for name in COUNTED:
        if int(after[name]) < int(before[name]):
            yield f"{name}: {before[name]} rows before the backup, {after[name]} in the copy"
    grew = int(after["settlement_batch"]) > int(before["settlement_batch"])
    if before["chain"] != after["chain"] and not grew:
        yield "the copy's hash chain ends elsewhere"


def _unlike(archive: Path, copy: Path) -> Iterator[str]:
    """Yield the archived files that the copy has not as they are."""
    for path in sorted(archive.rglob("*")) if archive.exists() else ():
        if path.is_file():
            twin = copy / path.relative_to(archive)
            if not twin.is_file() or _sha256(twin) != _sha256(path):
                yield f"{path.relative_to(archive)} of the archive is not in the copy as it is"


def _audited(url: str, archive: Path) -> Iterator[str]:
    """Yield what our own commands find wrong with the copy."""
    environment = os.environ | {"DATABASE_URL": url, "ARCHIVE_DIR": str(archive)}
    for words in AUDITS:
        done = subprocess.run(  # noqa: S603
            [sys.executable, *words],
            check=False,
            cwd=CHECKOUT,
            env=environment,
            capture_output=True,
            text=True,
        )
        if done.returncode != 0:
            yield f"{' '.join(words[1:])} ended with {done.returncode}: {done.stdout}{done.stderr}"


@contextmanager
def _fresh(url: str) -> Iterator[str]:
    """Make an empty database beside another one, and drop it in the end."""
    name = f"drill_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(
            sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name))
        )
        try:
            yield urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
        finally:
            connection.execute(
                sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name))
            )


def _run(program: str, *words: str, url: str) -> None:
    """Run one of PostgreSQL's programs; the password goes by the environment, not the words."""
    parts = urlsplit(url)
    environment = os.environ | {
        "PGHOST": parts.hostname or "",
        "PGPORT": str(parts.port or 5432),
        "PGUSER": parts.username or "",
        "PGPASSWORD": parts.password or "",
        "PGDATABASE": _name(url),
    }
    done = subprocess.run(  # noqa: S603
        [str(_programs(url) / program), *words],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
    )
    if done.returncode != 0:
        raise BackupFailed(f"{program} ended with {done.returncode}: {done.stderr}")


def _programs(url: str) -> Path:
    """Return where pg_dump is: PG_BIN, else those of the server's own release, else the wheel's.

    A newer pg_dump reads an older server, but what it writes is for one as new as itself.
    """
    named = os.environ.get("PG_BIN")
    if named:
        return Path(named)
    release = _release(url)
    places = (Path(place.format(release=release)) for place in PROGRAMS_OF_RELEASE)
    return next((place for place in places if (place / "pg_dump").exists()), wheel_programs())


def _release(url: str) -> int:
    try:
        with psycopg.connect(url) as connection:
            return connection.info.server_version // 10_000
    except psycopg.OperationalError as error:
        raise BackupFailed(f"the database does not answer: {error}") from error


def _name(url: str) -> str:
    return urlsplit(url).path.removeprefix("/")


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _sync(folder: Path) -> None:
    """Let what was written reach the disk before the folder gets its name."""
    for path in folder.iterdir():
        with path.open("rb") as file:
            os.fsync(file.fileno())


def main(words: list[str]) -> int:
    """Carry out one of the three words; return the exit status."""
    env = Env()
    url = env.str("DATABASE_URL", local.urls_from_file().get("DATABASE_URL", ""))
    archive = env.path("ARCHIVE_DIR", CHECKOUT / ".local" / "archive")
    try:
        if words == ["make"]:
            print(make(url, archive, env.path("BACKUP_DIR", CHECKOUT / ".local" / "backups")))  # noqa: T201
            return 0
        if len(words) == 4 and words[0] == "restore":  # noqa: PLR2004
            restore(Path(words[1]), words[2], Path(words[3]))
            return 0
        if words == ["drill"]:
            wrong = drill(url, archive)
            print("\n".join(wrong) or "the restored copy is whole, and its audit clean")  # noqa: T201
            return 1 if wrong else 0
    except (BackupFailed, psycopg.Error) as failed:
        print(failed, file=sys.stderr)  # noqa: T201
        return 1
    print(__doc__, file=sys.stderr)  # noqa: T201
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

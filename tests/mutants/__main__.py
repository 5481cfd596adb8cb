"""``make mutants``: change the engine in small ways, and see which changes no test notices.

mutmut is installed into a Python of its own, ``.local/mutants/venv``, that also sees the project's
packages; it works on a copy of the last commit. A change that survives is listed in docs/mutants.md
with the reason why it may; one that is not listed there ends this with 1.
"""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

CHECKOUT: Final = Path(__file__).parents[2]
HOME: Final = CHECKOUT / ".local" / "mutants"
COPY: Final = HOME / "checkout"
PYTHON: Final = HOME / "venv" / "bin" / "python"
PACKAGE: Final = "mutmut==3.8.1"
LISTED: Final = CHECKOUT / "docs" / "mutants.md"
COPIED: Final = ("exchange", "settlement", "accounts", "tests", "manage.py", "pyproject.toml")
JUDGED: Final = ("decimals",)
TESTS: Final = ("test_files", "test_refused_books", "test_result_files")
SECONDS_MAX: Final = int(os.environ.get("MUTANT_SECONDS", "1800"))
_NAME: Final = re.compile(r"exchange\.engine\.\S+__mutmut_\d+")


def main() -> int:
    """Try every mutant for at most MUTANT_SECONDS; return 1 if the survivors are not as listed."""
    _install()
    _copy()
    try:
        subprocess.run(  # noqa: S603
            [PYTHON, "-m", "mutmut", "run", "--max-children", str(os.cpu_count() or 1)],
            cwd=COPY,
            check=True,
            timeout=SECONDS_MAX,
        )
    except subprocess.TimeoutExpired:
        print(f"stopped after {SECONDS_MAX} s (MUTANT_SECONDS); what was tried is judged")  # noqa: T201
    survivors = _survivors()
    listed = set(_NAME.findall(LISTED.read_text()))
    for name in sorted(survivors - listed):
        print(f"survives and is not listed in {LISTED.name}: {name}\n{_change(name)}")  # noqa: T201
    for name in sorted(listed - survivors):
        print(f"is listed in {LISTED.name} and was not seen to survive: {name}")  # noqa: T201
    return 1 if survivors - listed else 0


def _install() -> None:
    if PYTHON.exists():
        return
    shutil.rmtree(HOME / "venv", ignore_errors=True)
    subprocess.run([sys.executable, "-m", "venv", HOME / "venv"], check=True)  # noqa: S603
    subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", PACKAGE], check=True)  # noqa: S603
    ours = subprocess.check_output(
        [sys.executable, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    theirs = subprocess.check_output(  # noqa: S603
        [PYTHON, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    )
    (Path(theirs.strip()) / "project.pth").write_text(ours)


def _copy() -> None:
    """Copy what git keeps, and tell mutmut what to change and what to run."""
    shutil.rmtree(COPY, ignore_errors=True)
    COPY.mkdir(parents=True)
    kept = subprocess.check_output(["git", "archive", "HEAD", *COPIED], cwd=CHECKOUT)  # noqa: S603, S607
    subprocess.run(["tar", "--extract", "--directory", COPY], input=kept, check=True)  # noqa: S603, S607
    lines = [
        "[mutmut]",
        "source_paths=exchange/engine",
        *_listing("only_mutate", [f"exchange/engine/{name}.py" for name in JUDGED]),
        *_listing("also_copy", [name for name in COPIED if name != "pyproject.toml"]),
        *_listing("pytest_add_cli_args_test_selection", [f"tests/engine/{t}.py" for t in TESTS]),
        *_listing("pytest_add_cli_args", ["-p", "no:cacheprovider", "-p", "no:xdist"]),
    ]
    (COPY / "setup.cfg").write_text("\n".join([*lines, ""]))


def _listing(name: str, values: list[str]) -> list[str]:
    return [f"{name}=", *(f"    {value}" for value in values)]


def _survivors() -> set[str]:
    told = subprocess.check_output([PYTHON, "-m", "mutmut", "results"], cwd=COPY, text=True)  # noqa: S603
    return {
        found[0]
        for line in told.splitlines()
        if line.strip().endswith(("survived", "no tests")) and (found := _NAME.search(line))
    }


def _change(name: str) -> str:
    return subprocess.check_output([PYTHON, "-m", "mutmut", "show", name], cwd=COPY, text=True)  # noqa: S603


if __name__ == "__main__":
    sys.exit(main())

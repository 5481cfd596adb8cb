"""What the repository itself promises: no addresses of registries, no stubs, small files."""

import re
import subprocess
import tomllib
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
TOP_LEVEL = {
    *("manage.py", "pyproject.toml", "README.md", "exchange", "accounts", "settlement"),
    *("templates", "tests", "docker-compose.yml", "Makefile", "Dockerfile", "requirements.lock"),
    *("package.json", "package-lock.json", "CHANGELOG.md", "docs", "locale", ".ci"),
}
LINES_MAX = 450


def tracked(pattern: str = "") -> list[Path]:
    listed = subprocess.run(  # noqa: S603
        ["git", "ls-files", "-co", "--exclude-standard", *([pattern] if pattern else [])],  # noqa: S607
        cwd=CHECKOUT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [CHECKOUT / name for name in listed.stdout.splitlines() if (CHECKOUT / name).is_file()]


def test_the_top_level_holds_what_was_agreed_and_dotfiles_only() -> None:
    found = {path.relative_to(CHECKOUT).parts[0] for path in tracked()}

    assert {name for name in found if not name.startswith(".")} <= TOP_LEVEL


@pytest.mark.parametrize("word", ["[p]ypi[.]org", "[p]ythonhosted", "[r]egistry[.]npmjs"])
def test_no_file_names_a_registry(word: str) -> None:
    text = [path for path in tracked() if path.suffix not in {".png", ".mo", ".gz"}]

    assert [str(p) for p in text if re.search(word, p.read_text(errors="ignore"))] == []


@pytest.mark.parametrize("word", ["NotImplemented[E]rror", r"\bTO[D]O\b", r"\bFIX[M]E\b"])
def test_no_code_is_a_stub(word: str) -> None:
    assert [str(p) for p in tracked("*.py") if re.search(word, p.read_text())] == []


def test_no_test_is_switched_off() -> None:
    switched_off = re.compile(r"mark[.](skip|xfail)|pytest[.]skip\(|assert [T]rue$", re.MULTILINE)

    assert [str(p) for p in tracked("*.py") if switched_off.search(p.read_text())] == []


def test_a_file_holds_one_thought() -> None:
    code = [path for path in tracked("*.py") if "migrations" not in path.parts]

    assert [str(p) for p in code if len(p.read_text().splitlines()) > LINES_MAX] == []


def test_every_dependency_has_a_reason() -> None:
    lines = (CHECKOUT / "pyproject.toml").read_text().splitlines()
    start = lines.index("dependencies = [") + 1
    ours = lines[start : lines.index("]", start)]

    assert ours
    assert [line for line in ours if "#" not in line] == []


def test_the_lock_holds_every_dependency_with_a_hash() -> None:
    project = tomllib.loads((CHECKOUT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[\[<>=]", line)[0].lower().replace("_", "-") for line in wanted}
    lock = (CHECKOUT / "requirements.lock").read_text()
    locked = set(re.findall(r"^([a-z0-9._-]+)==", lock, flags=re.MULTILINE))

    assert names - locked == set()
    assert lock.count("==") <= lock.count("--hash=sha256:")


def test_ci_runs_the_checks_and_the_suite() -> None:
    script = (CHECKOUT / ".ci" / "run").read_text()

    assert "\nmake check\n" in script
    assert "\nmake test\n" in script

"""No Docker engine is needed to see that the containers do what the tests do."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from exchange.config import health
from exchange.config.supervisor import COMMANDS, MIGRATE

CHECKOUT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((CHECKOUT / "docker-compose.yml").read_text())
SERVICES: dict[str, Any] = COMPOSE["services"]
DOCKERFILE = (CHECKOUT / "Dockerfile").read_text()


def test_it_runs_every_part_and_the_migrations() -> None:
    ours = {"migrate", "web", "worker", "clearer", "courier", "beat"}
    assert set(SERVICES) == ours | {"postgres", "valkey"}


@pytest.mark.parametrize("name", ["web", "worker", "clearer", "courier", "beat"])
def test_a_container_runs_the_words_that_the_supervisor_runs(name: str) -> None:
    ours = [word.format(host="0.0.0.0", port=8000, workers=2) for word in COMMANDS[name]]  # noqa: S104

    assert SERVICES[name]["command"] == ours


def test_migrations_run_with_the_words_of_the_supervisor() -> None:
    assert SERVICES["migrate"]["command"] == MIGRATE


@pytest.mark.parametrize("name", ["web", "worker", "clearer", "courier", "beat"])
def test_a_container_waits_for_migrations_and_servers(name: str) -> None:
    waits = SERVICES[name]["depends_on"]

    assert waits["migrate"]["condition"] == "service_completed_successfully"
    assert waits["postgres"]["condition"] == waits["valkey"]["condition"] == "service_healthy"


@pytest.mark.parametrize("name", ["web", "worker", "clearer", "courier", "beat"])
def test_a_container_asks_for_its_health_by_a_check_that_exists(name: str) -> None:
    *words, check = SERVICES[name]["healthcheck"]["test"]

    assert words == ["CMD", "python", "-m", "exchange.config.health"]
    assert check in health.CHECKS


def test_what_must_survive_lies_on_volumes() -> None:
    mounted = {entry.split(":")[0] for part in SERVICES.values() for entry in part["volumes"]}

    assert mounted == set(COMPOSE["volumes"])


@pytest.mark.parametrize("name", ["ARCHIVE_DIR", "BACKUP_DIR"])
def test_what_the_image_keeps_is_its_users_and_on_a_volume(name: str) -> None:
    (folder,) = re.findall(rf"{name}=(\S+)", DOCKERFILE)
    (given,) = re.findall(r"cd /srv && .+ && chown exchange (.+)$", DOCKERFILE, flags=re.MULTILINE)

    assert folder.removeprefix("/srv/") in given.split()
    assert folder in {entry.split(":")[1] for entry in SERVICES["worker"]["volumes"]}


def test_no_secret_has_a_default() -> None:
    text = (CHECKOUT / "docker-compose.yml").read_text()

    for name in ("SECRET_KEY", "API_KEY_PEPPER", "SEALING_KEYS", "POSTGRES_PASSWORD"):
        assert all(rest.startswith(":?") for rest in re.findall(rf"\${{{name}(.*?)}}", text))


def test_the_image_copies_only_files_that_exist() -> None:
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, flags=re.MULTILINE)
    names = [name for line in copied for name in line.split() if name != "."]

    assert names
    assert [name for name in names if not (CHECKOUT / name).exists()] == []


def test_the_image_serves_as_an_ordinary_user() -> None:
    assert re.search(r"^USER exchange$", DOCKERFILE, flags=re.MULTILINE)


def test_the_image_starts_the_web_with_the_words_of_the_supervisor() -> None:
    ours = [word.format(host="0.0.0.0", port=8000) for word in COMMANDS["web"]]  # noqa: S104
    (started,) = re.findall(r"^CMD (\[.+\])$", DOCKERFILE, flags=re.MULTILINE)

    assert yaml.safe_load(started) == ours

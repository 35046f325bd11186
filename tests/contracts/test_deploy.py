"""What deploy/ names exists: settings, options of Airflow, commands, files, pools and queues. No secret is in there."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import ruamel.yaml
from airflow.cli import cli_parser
from airflow.configuration import conf, retrieve_configuration_description

from holdfast import settings

PROJECT = Path(__file__).parents[2]
DEPLOY = PROJECT / "deploy"
CHART = ("values.yaml", "values-celery.yaml", "values-kubernetes.yaml")
COMPONENTS = ("api-server", "scheduler", "dag-processor", "triggerer", "worker")
OURS = {value for name, value in vars(settings).items() if name.isupper() and isinstance(value, str)}
OTHERS = re.compile(r"AWS_[A-Z_]+|GX_ANALYTICS_ENABLED")


def read(name: str) -> Any:
    return ruamel.yaml.YAML(typ="safe").load((DEPLOY / name).read_text(encoding="utf-8"))


COMPOSE: dict[str, Any] = read("compose.yaml")
ENVIRONMENT: dict[str, str] = COMPOSE["x-environment"]


def options() -> set[tuple[str, str]]:
    described = retrieve_configuration_description(include_providers=True)
    return {(section, option) for section, parts in described.items() for option in parts["options"]}


def variables() -> Iterator[str]:
    yield from ENVIRONMENT
    for name in CHART:
        values = read(name)
        yield from (one["name"] for one in values.get("env", []))
        yield from (one["envName"] for one in values.get("secret", []))


@pytest.mark.parametrize("variable", sorted(set(variables())))
def test_every_variable_means_something(variable: str) -> None:
    if variable.startswith("AIRFLOW__"):
        section, option = variable.removeprefix("AIRFLOW__").lower().split("__")
        assert (section, option) in options()
    else:
        assert variable in OURS or OTHERS.fullmatch(variable)


@pytest.mark.parametrize("name", CHART)
def test_every_option_of_the_chart_is_one_of_airflows(name: str) -> None:
    given = {(section, option) for section, parts in read(name).get("config", {}).items() for option in parts}
    assert given <= options()


def test_the_chart_is_told_what_compose_is() -> None:
    for option, value in read("values.yaml")["config"]["celery"].items():
        assert ENVIRONMENT[f"AIRFLOW__CELERY__{option.upper()}"].lower() == value.lower()
    for option, value in read("values.yaml")["config"]["scheduler"].items():
        assert ENVIRONMENT[f"AIRFLOW__SCHEDULER__{option.upper()}"] == value
    timeout = read("values.yaml")["config"]["celery_broker_transport_options"]["visibility_timeout"]
    assert ENVIRONMENT["AIRFLOW__CELERY_BROKER_TRANSPORT_OPTIONS__VISIBILITY_TIMEOUT"] == timeout


def test_each_component_runs_a_command_of_airflows() -> None:
    parser = cli_parser.get_parser()
    for name in COMPONENTS:
        program, *arguments = COMPOSE["services"][name]["command"]
        assert program == "airflow"
        assert parser.parse_args(arguments)
    for text in (COMPOSE["services"]["migrate"]["command"][-1], read("values.yaml")["migrateDatabaseJob"]["args"][-1]):
        for command in text.split(" && "):
            assert parser.parse_args(command.removeprefix("airflow ").split())
    worker = read("values-celery.yaml")["workers"]["args"][-1]
    assert parser.parse_args(worker.removeprefix("exec airflow ").split())


def test_pools_and_queues_are_those_of_the_dags() -> None:
    pools = json.loads((DEPLOY / "pools.json").read_text())
    queues = {conf.get("operators", "default_queue"), ENVIRONMENT[settings.DELETIONS_QUEUE]}
    assert set(pools) == {ENVIRONMENT[settings.DELETIONS_POOL]}
    assert set(COMPOSE["services"]["worker"]["command"][-1].split(",")) == queues
    assert set(read("values-celery.yaml")["workers"]["args"][-1].split()[-1].split(",")) == queues
    for name in ("values.yaml", "values-kubernetes.yaml"):
        given = {one["name"]: one["value"] for one in read(name)["env"]}
        assert given[settings.DELETIONS_POOL] in pools
        assert given.get(settings.DELETIONS_QUEUE, "holdfast_deletions") in queues


def test_every_secret_is_a_reference() -> None:
    secret = re.compile(r"KEY|SECRET|PASSWORD|CONN|BROKER_URL|RESULT_BACKEND|CHECKPOINTS|STORE")
    for variable, value in ENVIRONMENT.items():
        if secret.search(variable) and not variable.endswith(("_LATE", "_TIMEOUT", "_CONCURRENCY")):
            assert re.fullmatch(r"(db\+)?\$\{\w+:[?-][^}]*\}", value), variable
    for name in CHART:
        values = read(name)
        assert not [one for one in values.get("env", []) if secret.search(one["name"])]
        assert all(set(one) == {"envName", "secretName", "secretKey"} for one in values.get("secret", []))


def test_the_image_is_made_of_files_that_are_there_and_of_locked_packages() -> None:
    text = (DEPLOY / "Dockerfile").read_text()
    copied = [name for line in re.findall(r"^COPY (.*) \S+$", text, re.MULTILINE) for name in line.split()]
    assert copied
    assert all((PROJECT / name).exists() for name in copied)
    assert [line for line in re.findall(r"^RUN .*pip install.*$", text, re.MULTILINE) if "--no-deps" not in line] == []
    assert "--require-hashes" in text
    sent = (DEPLOY / "Dockerfile.dockerignore").read_text().splitlines()
    assert {line[1:] for line in sent if line.startswith("!")} == set(copied)

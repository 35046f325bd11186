"""The documents name all that a reader may meet, show commands that exist, and lead nowhere that is not there."""

from __future__ import annotations

import importlib
import pkgutil
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main

import holdfast
from holdfast import cli, settings
from holdfast.errors import HoldfastError
from holdfast.policy.problems import Check

PROJECT = Path(__file__).parents[2]
PAGES = {page: page.read_text(encoding="utf-8") for page in [PROJECT / "README.md", *PROJECT.glob("docs/**/*.md")]}
README = PAGES[PROJECT / "README.md"]
ENGINEERS = PAGES[PROJECT / "docs" / "engineers.md"]
EVERYTHING = "\n".join(PAGES.values())
LARGEST_IMAGE_BYTES = 200_000
COMMAND_LINE: Any = typer.main.get_command(cli.app)


def commands(group: Any = COMMAND_LINE, path: tuple[str, ...] = ("holdfast",)) -> Iterator[str]:
    """Every command of the command line, as it is typed; a group is named by its commands."""
    for name, command in group.commands.items():
        here = (*path, name)
        if hasattr(command, "commands"):
            yield from commands(command, here)
        else:
            yield " ".join(here)


def errors(base: type[HoldfastError] = HoldfastError) -> Iterator[str]:
    for kind in base.__subclasses__():
        if kind.__module__.startswith("holdfast."):
            yield kind.__name__
        yield from errors(kind)


for _module in pkgutil.walk_packages(holdfast.__path__, "holdfast."):
    importlib.import_module(_module.name)


@pytest.mark.parametrize("command", sorted(commands()))
def test_every_command_is_listed_for_engineers(command: str) -> None:
    assert f"`{command}`" in ENGINEERS


@pytest.mark.parametrize("name", sorted(set(errors())))
def test_every_error_is_explained_to_engineers(name: str) -> None:
    assert re.search(rf"^\|[^|]*`{name}`[^|]*\|", ENGINEERS, re.MULTILINE)


@pytest.mark.parametrize("dag", sorted(file.stem for file in (PROJECT / "dags").glob("*.py")))
def test_every_dag_is_introduced(dag: str) -> None:
    assert dag in README


SETTINGS = (
    settings.AIRFLOW_CONNECTION, settings.API_CONNECTION, settings.CHECKPOINTS, settings.DATABASE_URL,
    settings.DELETIONS_POOL, settings.DELETIONS_QUEUE, settings.EMERGENCY_OUTBOX, settings.HOME, settings.LEDGER_KEY,
    settings.PROJECT, settings.PSEUDONYM_KEY, settings.STORE,
)  # fmt: skip


@pytest.mark.parametrize("variable", SETTINGS)
def test_every_setting_is_explained(variable: str) -> None:
    assert f"\n| `{variable}` |" in ENGINEERS


def test_the_id_of_every_policy_check_can_be_looked_up() -> None:
    coverage = PAGES[PROJECT / "docs" / "coverage.md"]
    assert [check for check in Check if f"\n| {check} |" not in coverage] == []
    for reader in ("compliance.md", "engineers.md"):
        assert "(coverage.md#what-is-checked)" in PAGES[PROJECT / "docs" / reader]


def test_the_verbs_of_make_are_those_of_the_makefile() -> None:
    makefile = (PROJECT / "Makefile").read_text(encoding="utf-8")
    (targets,) = re.findall(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert set(re.findall(r"^\| `make ([a-z-]+)` \|", README, re.MULTILINE)) == set(targets.split())
    assert set(re.findall(r"(?:^|`|=1 )make ([a-z-]+)", EVERYTHING, re.MULTILINE)) <= set(targets.split())


def shown() -> Iterator[str]:
    """Every command line of ours that a page shows with a prompt, up to a pipe."""
    for text in PAGES.values():
        for line in re.findall(r"^\$ holdfast (.+)$", text, re.MULTILINE):
            yield line.partition(" | ")[0]


@pytest.mark.parametrize("line", sorted(set(shown())))
def test_a_command_that_is_shown_can_be_typed(line: str) -> None:
    """Its names, options and arguments are read by the command line itself, which would refuse them otherwise."""
    command, words = COMMAND_LINE, shlex.split(line)
    while hasattr(command, "commands"):
        command = command.commands[words.pop(0)]
    command.make_context(command.name, words)


def links() -> Iterator[tuple[Path, str]]:
    for page, text in PAGES.items():
        without_code = re.sub(r"```.*?```|`[^`\n]*`", "", text, flags=re.DOTALL)
        for target in re.findall(r"\]\(([^)\s]+)\)", without_code):
            if "://" not in target:
                yield page, target


@pytest.mark.parametrize(("page", "target"), list(links()), ids=lambda value: getattr(value, "name", value))
def test_a_link_leads_somewhere(page: Path, target: str) -> None:
    name, _, anchor = target.partition("#")
    file = (page.parent / name).resolve() if name else page
    assert file.exists()
    if anchor:
        headings = re.findall(r"^#+ (.+)$", PAGES[file], re.MULTILINE)
        assert anchor in {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_a_page_that_the_code_refers_to_is_there() -> None:
    sources = [file for folder in ("plugins", "dags", "tests") for file in (PROJECT / folder).rglob("*.py")]
    named = {page for file in sources for page in re.findall(r"docs/[\w/-]+\.md", file.read_text(encoding="utf-8"))}
    assert named
    assert [page for page in sorted(named) if not (PROJECT / page).exists()] == []


def test_an_image_is_small_and_shown() -> None:
    images = list((PROJECT / "docs" / "images").iterdir())
    assert images
    for image in images:
        assert image.stat().st_size < LARGEST_IMAGE_BYTES
        assert f"images/{image.name})" in EVERYTHING

"""Every error says what harm it prevents, what to do, and keeps its facts; none is raised without a way out."""

from __future__ import annotations

import ast
import importlib
import pkgutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import holdfast
from holdfast import errors
from holdfast.errors import HoldfastError

PACKAGE = Path(holdfast.__file__).parent


def all_errors(base: type[HoldfastError] = HoldfastError) -> Iterator[type[HoldfastError]]:
    for kind in base.__subclasses__():
        yield kind
        yield from all_errors(kind)


for _module in pkgutil.walk_packages([str(PACKAGE)], "holdfast."):
    importlib.import_module(_module.name)
KINDS = sorted(set(all_errors()), key=lambda kind: kind.__name__)
SIGNALS = {"Overtaken"}  # what enforcement.execute takes back and tries again: it reaches nobody
OF_THE_TREE = [kind for kind in KINDS if kind.__module__ == errors.__name__]


def test_there_is_one_tree() -> None:
    declared = {
        node.name
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.ClassDef)
        and any(
            isinstance(base, ast.Name) and base.id in ("Exception", "RuntimeError", "ValueError") for base in node.bases
        )
    }
    assert declared - SIGNALS == {"HoldfastError"}
    assert len(OF_THE_TREE) >= 18


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.__name__)
def test_an_error_says_what_harm_it_prevents(kind: type[HoldfastError]) -> None:
    assert kind.__doc__
    assert len(kind.__doc__) > 30
    assert not kind.__name__.endswith("Exception")


@pytest.mark.parametrize("kind", OF_THE_TREE, ids=lambda kind: kind.__name__)
def test_an_error_keeps_its_facts_and_names_a_way_out(kind: type[HoldfastError]) -> None:
    error = kind("The plan has 3 rows.", fix="plan anew.", rule="a-rule", rows=3)
    assert str(error) == "The plan has 3 rows. Fix: plan anew."
    assert (error.what, error.fix) == ("The plan has 3 rows.", "plan anew.")
    assert error.facts == {"rule": "a-rule", "rows": 3}
    assert isinstance(error, HoldfastError)
    with pytest.raises(TypeError, match="fix"):
        kind("What happened, and no way out.")


def raised() -> Iterator[tuple[str, ast.Call]]:
    """Every place in the package where one of these errors is made."""
    names = {kind.__name__ for kind in OF_THE_TREE}
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names:
                yield f"{file.relative_to(PACKAGE)}:{node.lineno}", node


MADE = list(raised())


@pytest.mark.parametrize(("place", "call"), MADE, ids=[place for place, _ in MADE])
def test_what_happened_is_a_sentence_and_the_way_out_another(place: str, call: ast.Call) -> None:
    what = _literal(call.args[0]) if call.args else None
    fix = _literal(next(keyword.value for keyword in call.keywords if keyword.arg == "fix"))
    if what is not None:
        assert what[0].isupper() or what.startswith(("{", "sql/")), f"{what!r} begins like a sentence"
        assert what.rstrip().endswith((".", ".)", "?", "}")), f"{what!r} ends like one"
    if fix is not None:
        assert " " in fix
        assert not fix[0].isupper() or fix.startswith(("Airflow", "HOLDFAST", "PostgreSQL")), (
            f"{fix!r} goes on after 'Fix:'"
        )
        assert fix.rstrip().endswith((".", ";", "}", "?")), f"{fix!r} ends"


def _literal(node: ast.expr) -> str | None:
    """The text of a string, with {} for the values in it; None for anything that is put together otherwise."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    return None


def test_nothing_is_swallowed() -> None:
    """`except Exception` and bare `except` are nowhere but where an error is described, and raised again."""
    blind = []
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ExceptHandler) and (
                node.type is None
                or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
            ):
                raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                if not raises:
                    blind.append(f"{file.relative_to(PACKAGE)}:{node.lineno}")
    assert blind == []

"""`holdfast retention`: what a person types and sees."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.holdfast.retention.shop import OLD, Shop
from typer.testing import CliRunner

from holdfast import cli, settings


@pytest.fixture
def till(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Shop:
    """The shop as the settings' database, its source asked a moment ago and believed."""
    monkeypatch.setenv(settings.DATABASE_URL, shop.engine.url.render_as_string(hide_password=False))
    holdfast("hold", "refresh")
    return shop


def holdfast(*words: str) -> list[str]:
    result = CliRunner().invoke(cli.app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_what_a_rule_would_do_is_said(till: Shop) -> None:
    till.purchases([1])
    till.execute("UPDATE shop.customer SET full_name = 'Ann Example', left_on = :day", day=dt.date.fromisoformat(OLD))
    assert holdfast("retention", "explain", "purchases", "1")[:2] == [
        "It is due: the next run deletes it.",
        "* rule purchases-2y: deletes after P2Y, business",
    ]
    assert holdfast("retention", "explain", "customers", "1")[:2] == [
        "It is due: the next run anonymises it.",
        "* rule customers-2y: anonymises after P2Y, business",
    ]


def test_a_hold_that_its_source_keeps_to_itself_is_not_named(till: Shop) -> None:
    till.purchases([1])
    till.execute("INSERT INTO shop.debt VALUES ('debt-1', 1)")
    holdfast("hold", "refresh")
    assert "- held by billing UNPAID debt-1 until released" in "\n".join(holdfast(*EXPLAIN))
    till.execute("UPDATE holdfast.hold SET disclosable = FALSE")
    ordinary, restricted = holdfast(*EXPLAIN), holdfast(*EXPLAIN, "--restricted")
    assert "debt-1" not in "\n".join(ordinary)
    assert "- held by other obligations; who may know more asks with --restricted" in ordinary
    assert "debt-1" in "\n".join(restricted)


EXPLAIN = ("retention", "explain", "purchases", "1")


def test_a_plan_shows_every_outcome_and_the_rules_above_their_caps(till: Shop) -> None:
    till.set_policy(lambda documents: documents["retention_schedule"]["caps"].update(rows=0))
    till.purchases([1])
    lines = holdfast("retention", "plan")
    assert lines[1].split() == ["rule", "action", "due", "held", "waiting", "unknown", "refused", "of"]
    assert ["purchases-2y", "delete", "1", "0", "0", "0", "0", "1"] in [line.split() for line in lines]
    assert "Above a cap, so a person would have to approve: purchases-2y" in lines

"""Nights as the jobs do them, with and without the holds that must not be disclosed: nobody outside can tell which.

The matrix is the engine's own here, so this covers what `test_letters_secrecy.py` takes for granted: that what may be
told is right, whichever way a secret hold reaches a row, and on whatever it is that only such a hold keeps there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.holdfast.deletion_requests.two_worlds import HIDDEN, NAMED, Hold, Person, World, at, world
from tests.holdfast.retention.shop import NEW, OLD

from holdfast.deletion_requests.scope import Part

NIGHTS = 4
Fresh = Callable[[], AbstractContextManager[sa.Engine]]
ONE = ((NEW, 1),)
EVERYTHING = ((0, ()), (2, ()))
SCOPES = ("subject", "datasets", "period", "purchase", "item")

PEOPLE = [
    # Who has left is answered once: with what is known of them, the address goes. The others ask again.
    *(Person(((NEW, 1), (NEW, 0)), holds=(Hold(HIDDEN, scope, end=2),), asks=EVERYTHING) for scope in SCOPES),
    *(
        Person(((NEW, 1), (NEW, 0)), has_left=False, holds=(Hold(HIDDEN, scope, end=3),), asks=EVERYTHING)
        for scope in SCOPES
    ),
    # From a source, which keeps to itself what its type would tell.
    Person(ONE, holds=(Hold(HIDDEN, by_source=True, end=3),)),
    # The parent would have gone with its child, and retention would have taken both before anybody asked.
    Person(((OLD, 1), (OLD, 0)), holds=(Hold(HIDDEN, "item", end=3),)),
    Person(((OLD, 0),), ("2023-10-20", "2023-10-21"), holds=(Hold(HIDDEN),), asks=EVERYTHING),
    # A law keeps some, a named hold some more, for longer than the secret one and for shorter.
    Person(((NEW, 1), (NEW, 1)), (NEW,), holds=(Hold(HIDDEN, "item", end=2), Hold(NAMED, "purchase", end=3))),
    Person(((NEW, 1), (NEW, 1)), (NEW,), holds=(Hold(HIDDEN, "item", end=3), Hold(NAMED, end=2))),
    Person(ONE, holds=(Hold(HIDDEN, end=3), Hold(NAMED, first=2, end=3))),
    # Large enough to wait for a person, but for the secret hold.
    Person(((NEW, 1), (NEW, 1), (NEW, 1)), holds=(Hold(HIDDEN, "datasets", datasets=("items",)),)),
    # The second request is small, though what the first was told to have removed is still there.
    Person(
        ((NEW, 1), (NEW, 2)),
        (NEW,),
        has_left=False,
        holds=(Hold(HIDDEN, "datasets", datasets=("items",), end=4),),
        asks=((0, (Part("items"),)), (2, (Part("items"), Part("purchases")))),
    ),
    # A contract that runs; parts; nobody asks before a secret hold begins.
    Person(((NEW, 2),), (NEW,), has_left=False, holds=(Hold(HIDDEN, "item"),)),
    Person(((NEW, 1), (NEW, 0)), holds=(Hold(HIDDEN, "item", end=2),), asks=((0, (Part("purchases"), Part("items"))),)),
    Person(((NEW, 1),), holds=(Hold(HIDDEN, first=1, end=3),), asks=((2, ()),)),
    # One category alone, whose rows a secret hold keeps whole or in part, and then everything.
    Person(((NEW, 1), (NEW, 0)), holds=(Hold(HIDDEN, end=2),), asks=((0, (Part(category="note"),)), (2, ()))),
    Person(((NEW, 1), (NEW, 0)), holds=(Hold(HIDDEN, "purchase", end=3),), asks=((0, (Part(category="note"),)),)),
    Person(
        ((NEW, 1), (OLD, 0)),
        holds=(Hold(HIDDEN, "purchase"), Hold(NAMED, "datasets", end=2)),
        asks=((0, (Part(category="note"),)),),
    ),
]
ENDS = st.integers(1, NIGHTS)
HOLDS = st.builds(
    Hold, st.sampled_from((HIDDEN, HIDDEN, NAMED)), st.sampled_from(SCOPES), st.just(0), ENDS,
    st.sampled_from((("purchases",), ("items",), ("items", "visits"))),
)  # fmt: skip
SOMEBODY = st.builds(
    Person,
    st.lists(st.tuples(st.sampled_from((NEW, OLD)), st.integers(0, 2)), max_size=3).map(tuple),
    st.lists(st.sampled_from((NEW, "2023-10-20")), max_size=2).map(tuple),
    st.booleans(),
    st.lists(HOLDS, max_size=3).map(tuple),
    st.lists(st.tuples(st.integers(0, 2), st.just(())), min_size=1, max_size=2, unique=True).map(tuple),
)


@pytest.fixture
def worlds(
    fresh_database: Fresh, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[], tuple[World, World]]]:
    with ExitStack() as open_worlds:

        def make() -> tuple[World, World]:
            open_worlds.close()
            one, other = (
                open_worlds.enter_context(world(fresh_database, tmp_path_factory.mktemp(name)))
                for name in ("one", "two")
            )
            return one, other

        yield make


def test_nobody_can_tell_of_a_hold_that_must_not_be_disclosed(worlds: Callable[[], tuple[World, World]]) -> None:
    live(worlds(), PEOPLE, ())


@pytest.mark.parametrize("dataset", ["items", "purchases", "visits"])
def test_nobody_can_tell_of_one_on_a_class_of_records(worlds: Callable[[], tuple[World, World]], dataset: str) -> None:
    people = [
        Person(((NEW, 1), (OLD, 1)), (NEW, "2023-10-20"), asks=EVERYTHING),
        Person(ONE, holds=(Hold(NAMED, end=2),)),
    ]
    live(worlds(), people, (Hold(HIDDEN, "class", end=3, datasets=(dataset,)),))


@hypothesis_settings(
    deadline=None,
    max_examples=2,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.large_base_example],
)
@given(people=st.lists(SOMEBODY, min_size=12, max_size=30))
def test_nobody_can_tell_whoever_it_is(worlds: Callable[[], tuple[World, World]], people: list[Person]) -> None:
    live(worlds(), people, ())


def live(worlds: tuple[World, World], people: Sequence[Person], on_everybody: Sequence[Hold]) -> None:
    """The same nights in both, of which only the first has secret holds; what is seen must be the same after each."""
    for night in range(NIGHTS):
        for has_secrets, one in zip((True, False), worlds, strict=True):
            with at(one):
                _before(one, night, people, on_everybody, has_secrets=has_secrets)
                one.night()
        with_secrets, without = (one.seen() for one in worlds)
        assert with_secrets.keys() == without.keys()
        for name, content in without.items():
            assert with_secrets[name] == content, f"{name}, night {night}"


def _before(
    one: World, night: int, people: Sequence[Person], on_everybody: Sequence[Hold], *, has_secrets: bool
) -> None:
    for number, person in enumerate(people, start=1):
        if night == 0:
            one.add(person, number)
        for place, hold in enumerate(person.holds):
            _place(one, night, hold, f"h-{number}-{place}", number, has_secrets)
        for place, (asked_on, parts) in enumerate(person.asks):
            if asked_on == night:
                one.request(number, f"DR-{number}-{place}", parts)
    for place, hold in enumerate(on_everybody):
        _place(one, night, hold, f"c-{place}", None, has_secrets)


def _place(one: World, night: int, hold: Hold, reference: str, number: int | None, has_secrets: bool) -> None:
    if hold.hold_type == HIDDEN and not has_secrets:
        return
    if night == hold.first:
        one.hold(hold, reference, number)
    elif night == hold.end:
        one.release(hold, reference)

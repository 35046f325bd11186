"""What stays of a request is marked so that the provider's own programs can leave it alone (UK GDPR Art 18)."""

from __future__ import annotations

import sqlalchemy as sa
from tests.holdfast.deletion_requests.desk import NOW, Desk, asked


def restrict(desk: Desk, request: int, dataset: str, *, lifted: bool = False) -> None:
    desk.sql(
        "INSERT INTO holdfast.restriction (subject_key, dataset, request_id, since, lifted_at)"
        " SELECT subject_key, :dataset, request_id, :now, CASE WHEN :lifted THEN cast(:now AS timestamptz) END"
        " FROM holdfast.deletion_request WHERE request_id = :request",
        dataset=dataset,
        request=request,
        now=NOW,
        lifted=lifted,
    )


def restricted(desk: Desk) -> list[tuple[str, str, str | None]]:
    rows = desk.sql("SELECT dataset, subject_key, record_key FROM holdfast.restricted ORDER BY 1, 2, 3")
    return [(row.dataset, row.subject_key, row.record_key) for row in rows]


def is_restricted(desk: Desk, dataset: str, subject: str, record: str) -> bool:
    values = {"dataset": dataset, "subject": subject, "record": record}
    [row] = desk.sql("SELECT holdfast.is_restricted(:dataset, :subject, :record) AS it", **values)
    return bool(row.it)


def test_every_record_of_the_dataset_unless_records_were_named(desk: Desk) -> None:
    desk.sql(
        "INSERT INTO provider.message (message_id, account_id, direction, sender, recipient, segments, status,"
        " submitted_at) SELECT n, CASE WHEN n = 43 THEN 3 ELSE 2 END, 'out', '+447700900001', '+447700900002', 1,"
        " 'delivered', now() FROM generate_series(41, 43) AS n"
    )
    whole = desk.received(reference="r-1", subject_key="1")
    named = desk.received(reference="r-2", subject_key="2", scope="messages#41;messages#42;login_events")
    both = desk.received(reference="r-3", subject_key="3", scope="messages#43;category:content")
    for request in (whole, named, both):
        restrict(desk, request, "messages")
    restrict(desk, named, "login_events")
    assert restricted(desk) == [
        ("login_events", "2", None),
        ("messages", "1", None),
        ("messages", "2", "41"),
        ("messages", "2", "42"),
        ("messages", "3", None),
    ]
    assert is_restricted(desk, "messages", "1", "7")
    assert is_restricted(desk, "messages", "2", "42")
    assert not is_restricted(desk, "messages", "2", "43")
    assert not is_restricted(desk, "contacts", "1", "7")


def test_what_is_lifted_is_free_again(desk: Desk) -> None:
    restrict(desk, desk.received(), "messages", lifted=True)
    assert restricted(desk) == []
    restrict(desk, desk.received(reference="r-2"), "messages")
    assert restricted(desk) == [("messages", "1", None)]


def test_a_program_of_the_provider_asks_without_seeing_the_registers(desk: Desk) -> None:
    restrict(desk, desk.received(**asked()), "messages")
    desk.sql("CREATE ROLE shop_front")
    try:
        desk.sql("GRANT USAGE ON SCHEMA holdfast TO shop_front")
        ask, look = "SELECT holdfast.is_restricted('messages', '1', '7')", "SELECT count(*) FROM holdfast.restricted"
        assert as_shop_front(desk, ask) == as_shop_front(desk, look) == "refused"
        desk.sql("GRANT EXECUTE ON FUNCTION holdfast.is_restricted(text, text, text) TO shop_front")
        desk.sql("GRANT SELECT ON holdfast.restricted TO shop_front")
        assert as_shop_front(desk, ask) is True
        assert as_shop_front(desk, look) == 1
        assert as_shop_front(desk, "SELECT count(*) FROM holdfast.restriction") == "refused"
    finally:
        desk.sql("DROP OWNED BY shop_front")
        desk.sql("DROP ROLE shop_front")


def as_shop_front(desk: Desk, statement: str) -> object:
    """What the role gets as an answer, or that it may not ask."""
    try:
        with desk.engine.begin() as connection:
            connection.execute(sa.text("SET LOCAL ROLE shop_front"))
            return connection.execute(sa.text(statement)).scalar_one()
    except sa.exc.ProgrammingError as error:
        if getattr(error.orig, "sqlstate", None) != "42501":
            raise
        return "refused"


def test_asking_for_one_record_looks_it_up(desk: Desk) -> None:
    desk.sql(
        "INSERT INTO holdfast.deletion_request (reference, channel, subject_key, state, received_at)"
        " SELECT 'm-' || n, 'form', cast(n AS text), 'received', now() FROM generate_series(1, 20000) AS n"
    )
    desk.sql(
        "INSERT INTO holdfast.restriction (subject_key, dataset, request_id, since)"
        " SELECT subject_key, 'messages', request_id, now() FROM holdfast.deletion_request"
    )
    desk.sql("ANALYZE holdfast.restriction")
    plan = desk.sql("EXPLAIN SELECT FROM holdfast.restricted WHERE dataset = 'messages' AND subject_key = '77'")
    assert "restriction_now" in " ".join(str(row[0]) for row in plan)

"""One request as people write it: what is read, what is refused, and that nothing written is ever quoted."""

from __future__ import annotations

import datetime as dt

import pytest
from tests.holdfast.deletion_requests.desk import CATEGORIES_THAT_STAY, LONDON, NOW, asked, policy, sound, terms

from holdfast.deletion_requests import fields, scope
from holdfast.deletion_requests.fields import MAX_CHARACTERS, Check, Fault, NewRequest
from holdfast.deletion_requests.scope import Part
from holdfast.errors import RequestError
from holdfast.policy.model import NoSubject


def faults(**changes: str) -> list[Fault]:
    found = fields.read(asked(**changes), policy(), terms(), NOW)
    assert not isinstance(found, NewRequest)
    return list(found)


def checks(**changes: str) -> set[tuple[Check, str]]:
    return {(one.check, one.field) for one in faults(**changes)}


def test_a_sound_request() -> None:
    request = sound(asked(" web-1 ", subject_key=" 1 ", channel="post"))
    assert request == NewRequest(
        reference="web-1",
        channel=fields.Channel.POST,
        subject_key="1",
        received_at=dt.datetime(2026, 9, 3, 8, tzinfo=dt.UTC),
        scope=(),
        identity_requested_at=None,
        identity_confirmed_at=None,
    )


@pytest.mark.parametrize(
    ("written", "moment"),
    [
        ("2026-09-03", dt.datetime(2026, 9, 3, tzinfo=LONDON)),
        ("2026-09-03 09:30", dt.datetime(2026, 9, 3, 9, 30, tzinfo=LONDON)),
        ("2026-09-03T09:29:59", dt.datetime(2026, 9, 3, 9, 29, 59, tzinfo=LONDON)),
        ("2026-09-03 08:30Z", NOW),
        ("2026-09-03T10:30:00.000+02:00", NOW),
        ("2026-01-31", dt.datetime(2026, 1, 31, tzinfo=dt.UTC)),
    ],
)
def test_a_moment_is_in_the_controllers_time_unless_it_says_otherwise(written: str, moment: dt.datetime) -> None:
    assert sound(asked(received_at=written)).received_at == moment


@pytest.mark.parametrize(
    "written",
    [
        "03/09/2026", "3 September 2026", "2026-9-3", "20260903", "2026-W36-4", "2026-02-30", "2026-09-03 25:00", "now",
        "2026-09-03 9:30", "2026-09-03T09:30:00+0100", "2026-13-01", "9999-12-31 23:59-12:00", "0000-00-00",
        "٢٠٢٦-٠٩-٠٣",
    ],
)  # fmt: skip
def test_what_is_no_moment(written: str) -> None:
    assert checks(received_at=written) == {(Check.MOMENT, "received_at")}


@pytest.mark.parametrize("written", ["2026-09-03 09:31", "2026-09-04", "2027-01-01", "2023-12-31", "1970-01-01"])
def test_a_moment_that_cannot_be_right(written: str) -> None:
    """In the future, or before the first day whose deadline is known: a year was mistyped."""
    assert checks(received_at=written) == {(Check.MOMENT_RANGE, "received_at")}


def test_moments_in_their_order() -> None:
    assert checks(identity_requested_at="2026-09-02") == {(Check.MOMENT_ORDER, "identity_requested_at")}
    late = {"received_at": "2026-08-01", "identity_requested_at": "2026-08-05"}
    assert checks(**late, identity_confirmed_at="2026-08-04") == {(Check.MOMENT_ORDER, "identity_confirmed_at")}
    sound(asked(**late, identity_confirmed_at="2026-08-05"))
    # Only the day is known, and the request came at nine: the same day is no fault.
    sound(asked(received_at="2026-09-02 09:00", identity_requested_at="2026-09-02"))
    # Whoever was logged in had confirmed who they are before they asked.
    sound(asked(received_at="2026-09-03 09:00", identity_confirmed_at="2026-09-03 08:55"))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"reference": ""}, {(Check.MISSING, "reference")}),
        ({"subject_key": "  "}, {(Check.MISSING, "subject_key")}),
        ({"reference": "9 lives"}, {(Check.REFERENCE, "reference")}),
        ({"reference": "a" * 129}, {(Check.REFERENCE, "reference")}),
        ({"reference": "ann@example.com"}, {(Check.REFERENCE, "reference")}),
        ({"reference": "web-é"}, {(Check.REFERENCE, "reference")}),
        ({"channel": "fax"}, {(Check.CHANNEL, "channel")}),
        ({"channel": "Form"}, {(Check.CHANNEL, "channel")}),
        ({"subject_key": "1" * 129}, {(Check.SUBJECT, "subject_key")}),
        ({"scope": "a" * (MAX_CHARACTERS + 1)}, {(Check.FIELD_LENGTH, "scope")}),
        ({"subject_key": "caf\ufffd"}, {(Check.ENCODING, "subject_key")}),
        ({"subject_key": "1\x00"}, {(Check.CONTROL_CHARACTER, "subject_key")}),
        ({"scope": "account\u202e"}, {(Check.CONTROL_CHARACTER, "scope")}),
        ({"subject_key": "\udcff"}, {(Check.CONTROL_CHARACTER, "subject_key")}),
        ({"subject_key": "=1+1"}, {(Check.FORMULA, "subject_key")}),
        ({"reference": "+441632960001"}, {(Check.FORMULA, "reference")}),
        ({"scope": "-account"}, {(Check.FORMULA, "scope")}),
        ({"channel": "@SUM(A1)"}, {(Check.FORMULA, "channel")}),
        ({"subject_key": "＝1"}, {(Check.FORMULA, "subject_key")}),  # full width, which a spreadsheet takes too
        ({"reference": "!", "channel": "!", "received_at": "!", "scope": "!"}, {
            (Check.REFERENCE, "reference"), (Check.CHANNEL, "channel"), (Check.MOMENT, "received_at"),
            (Check.SCOPE, "scope"),
        }),
    ],
)  # fmt: skip
def test_every_fault_of_a_row_is_found(changes: dict[str, str], expected: set[tuple[Check, str]]) -> None:
    assert checks(**changes) == expected


def test_a_fault_never_quotes_what_was_written() -> None:
    secret = "Zerlina"
    for name in asked():
        for text in (secret, f"={secret}", f"{secret}\x00", f"2026-{secret}", f"messages#{secret};{secret}"):
            found = fields.read(asked(**{name: text}), policy(), terms(), NOW)
            for fault in () if isinstance(found, NewRequest) else found:
                assert secret not in f"{fault.what} {fault.fix}"


@pytest.mark.parametrize(
    ("written", "parts"),
    [
        ("account", ()),
        (" account ", ()),
        ("messages", (Part("messages"),)),
        ("call_recordings#42", (Part("call_recordings", None, "42"),)),
        ("consents#1|marketing_sms|3", (Part("consents", None, "1|marketing_sms|3"),)),
        ("category:phone-number", (Part(None, "phone-number"),)),
        ("messages; contacts;messages", (Part("messages"), Part("contacts"))),
        ("contacts#1#2", (Part("contacts", None, "1#2"),)),
    ],
)
def test_scopes(written: str, parts: scope.Scope) -> None:
    assert scope.parse(written, policy()) == parts


@pytest.mark.parametrize(
    ("written", "what"),
    [
        ("", "Part 1 .* no dataset"),
        ("provider.message", "Part 1 .* no dataset"),
        ("messages;", "Part 2 .* no dataset"),
        ("messages,contacts", "no dataset"),
        ("messages;account", "Part 2 .* no dataset"),
        ("category:", "no category"),
        ("category:messages", "no category"),
        ("messages#", "1 columns"),
        ("messages#1|2", "1 columns"),
        ("consents#1", "3 columns"),
        ("service_providers", "about no subject"),
    ],
)
def test_scopes_that_are_none(written: str, what: str) -> None:
    with pytest.raises(RequestError, match=what):
        scope.parse(written, policy())


@pytest.mark.parametrize(
    ("written", "meant"), [("mesages", "messages"), ("contact#1", "contacts"), ("category:adress", "address")]
)
def test_a_name_like_one_of_ours_is_asked_about_and_what_was_written_is_not_quoted(written: str, meant: str) -> None:
    with pytest.raises(RequestError) as refused:
        scope.parse(written, policy())
    assert f"if {meant} is meant" in refused.value.fix
    assert written.removeprefix("category:") not in str(refused.value).replace(meant, "")


def test_a_scope_is_described_without_the_keys_of_records() -> None:
    parts = scope.parse("messages; call_recordings#42; category:phone-number", policy())
    assert scope.describe(parts) == "messages; call_recordings#...; category:phone-number"
    assert scope.describe(()) == "account"


def test_every_dataset_about_somebody_can_be_asked_for() -> None:
    for name, dataset in policy().data_map.datasets.items():
        if not isinstance(dataset.subject, NoSubject):
            assert scope.parse(name, policy()) == (Part(name),)
    categories = {category for _, category in scope.columns_by_category(policy())}
    for category in categories.difference(CATEGORIES_THAT_STAY):
        assert scope.parse(f"category:{category}", policy()) == (Part(None, category),)

"""The words of the letters: a golden file for each, and what somebody is called changes nothing but the name.

A golden file that is missing is written, and the test fails once: read it before it is kept.
"""

from __future__ import annotations

import datetime as dt
import html
import io
import re
import shutil
from pathlib import Path

import matplotlib
import pypdf
import pytest
from hypothesis import example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from tests.holdfast.deletion_requests.letters_library import (
    ADDRESSEE,
    KEEP,
    NOW,
    RECEIVED,
    TAX_END,
    case,
    policy,
    rules,
    terms,
)

from holdfast import settings
from holdfast.clock import Period
from holdfast.deletion_requests import letter_text
from holdfast.deletion_requests.deadlines import Moments
from holdfast.deletion_requests.letter_text import Addressee, Letter
from holdfast.deletion_requests.letters_facts import Case, Kind, Told, facts_of
from holdfast.deletion_requests.scope import Part
from holdfast.errors import PolicyError, Unprintable

GOLDEN = Path(__file__).with_name("letters_golden")
WORDS = settings.load().policy / "letters"
OUTCOME = (
    Told("accounts", "anonymise", (), None),
    Told("contacts", "erase", (), None),
    Told("login_events", "erase", (), None),
    Told("call_detail_records", "erase", (), None),
    Told("messages", "erase", (), None),
    Told("support_tickets", "erase", (), None),
    Told("invoices", "erase", ("TAX_CT", "TAX_VAT"), TAX_END),
    Told("payments", None, ("payments-6y",), TAX_END),
    Told("emergency_addresses", None, ("EMERGENCY_999_LIVE",), None),
    Told("number_assignments", None, ("dataset",), None),
    Told("suspensions", None, ("suspensions-6y",), None),
    Told("law_enforcement_requests", "erase", (), None),
)
CASES = {
    "acknowledgement": case(Kind.ACKNOWLEDGEMENT, withdraw_until=dt.date(2026, 12, 1)),
    "acknowledgement-identity": case(
        Kind.ACKNOWLEDGEMENT,
        moments=Moments(RECEIVED, identity_requested_at=RECEIVED),
        channel="post",
        scope=(Part(category="ip-address"), Part(dataset="messages"), Part(dataset="call_recordings", record_key="7")),
    ),
    "acknowledgement-fee": case(Kind.ACKNOWLEDGEMENT, moments=Moments(RECEIVED, fee_requested_at=RECEIVED)),
    "extension": case(
        Kind.EXTENSION, moments=Moments(RECEIVED, extension_notified_at=NOW), extension_reason="complexity"
    ),
    "outcome": case(Kind.OUTCOME, *OUTCOME),
    "outcome-all-gone": case(Kind.OUTCOME, Told("contacts", "erase", (), None), Told("messages", "erase", (), None)),
    "outcome-nothing-found": case(Kind.OUTCOME),
    "outcome-held": case(
        Kind.OUTCOME, Told("contacts", "erase", (), None), Told("invoices", None, ("invoices-6y",), TAX_END)
    ),
    "outcome-restricted": case(
        Kind.OUTCOME,
        Told("messages", "erase", (), None),
        Told("support_tickets", None, ("LITIGATION",), None, dt.date(2027, 3, 3)),
        Told("refunds", None, ("needed",), None),
        Told("payments", None, ("payments-6y", "dataset"), TAX_END),
        Told("complaints", None, ("start",), None),
    ),
    "outcome-category": case(
        Kind.OUTCOME,
        Told("login_events", "anonymise", (), None),
        Told("support_tickets", "anonymise", ("LITIGATION",), None, dt.date(2027, 3, 3)),
        scope=(Part(category="ip-address"), Part(category="correspondence"), Part(category="activity")),
    ),
    "withdrawal": case(Kind.WITHDRAWAL),
    "final": case(Kind.FINAL, rest=("invoices", "payments"), outcome_at=NOW - dt.timedelta(days=900)),
    "refusal": case(Kind.REFUSAL, refusal_reason="contract_live"),
}
EVERY_LETTER = (
    "section 164A",
    "section 165",
    "We acknowledge your complaint within 30 days",
    "Wycliffe House",
    "UK GDPR Article 79",
    "There are laws that can oblige a company to keep certain information and not to speak of it.",
    "this paragraph stands in each of our letters to everybody",
    "for 6 years after the request is closed",
)


def html_of(one: Case, addressee: Addressee = ADDRESSEE, words: Path = WORDS) -> str:
    facts = facts_of(one, policy(), terms(), rules())
    return letter_text.html_of(facts, addressee, KEEP, words, zone=terms().zone)


def letter_of(one: Case, addressee: Addressee = ADDRESSEE, words: Path = WORDS) -> Letter:
    facts = facts_of(one, policy(), terms(), rules())
    return letter_text.letter_of(facts, addressee, KEEP, words, zone=terms().zone)


def plain(page: str) -> str:
    """What a reader sees."""
    body = page.partition("<body")[2]
    return re.sub(r"\s+", " ", html.unescape(re.sub(r"<[^>]*>", " ", "<body" + body)))


@pytest.mark.parametrize("name", CASES)
def test_the_letter_is_the_golden_one(name: str) -> None:
    made = html_of(CASES[name])
    golden = GOLDEN / f"{name}.html"
    if not golden.exists():
        golden.write_text(made, encoding="utf-8")
        pytest.fail(f"{golden.name} was missing and is written now: read it")
    assert made == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_the_pdf_reads_as_the_golden_one(name: str) -> None:
    pages = pypdf.PdfReader(io.BytesIO(letter_of(CASES[name]).pdf)).pages
    made = "\n\f\n".join(page.extract_text().strip() for page in pages) + "\n"
    golden = GOLDEN / f"{name}.pdf.txt"
    if not golden.exists():
        golden.write_text(made, encoding="utf-8")
        pytest.fail(f"{golden.name} was missing and is written now: read it")
    assert made == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("name", CASES)
def test_what_every_letter_must_say(name: str) -> None:
    read = plain(html_of(CASES[name]))
    for words in EVERY_LETTER:
        assert words in read


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith(("outcome", "final"))])
def test_what_every_letter_after_an_erasure_must_say(name: str) -> None:
    read = plain(html_of(CASES[name]))
    assert "Until then those copies are beyond use" in read
    assert "overwritten, at the latest after 35 days" in read
    assert "If you ask us, we tell you who they are." in read


def test_the_paragraph_on_other_obligations_is_the_same_in_every_letter() -> None:
    paragraphs = {
        plain(html_of(one)).partition("Other legal obligations ")[2].partition("What we keep of our")[0]
        for one in CASES.values()
    }
    assert len({one for one in paragraphs if one}) == 1


def test_the_outcome_gives_reason_ground_and_day_for_all_that_stays() -> None:
    read = plain(html_of(CASES["outcome"]))
    assert "Finance Act 1998 Sch 18 para 21" in read
    assert "VATA 1994 Sch 11 para 6(3)" in read
    assert "General Conditions A3.5 and A3.6" in read
    assert "still necessary, UK GDPR Article 17(1)(a)" in read
    assert "Records that stay refer to these" in read
    assert read.count("After 5 April 2031") == 2
    assert "restricted (UK GDPR Article 18)" in read
    assert "Invoices (in part)" in read


def test_a_letter_mentions_no_record_whose_existence_may_not_be_told() -> None:
    page = html_of(CASES["outcome"])
    assert "authorit" not in plain(page).lower()
    assert page == html_of(case(Kind.OUTCOME, *OUTCOME[:-1]))


@pytest.mark.parametrize("reason", ["identity_not_confirmed", "manifestly_unfounded", "excessive", "not_a_subject"])
def test_every_refusal_has_its_words(reason: str) -> None:
    assert "Legal ground: UK GDPR" in plain(html_of(case(Kind.REFUSAL, refusal_reason=reason)))


def test_both_reasons_for_an_extension_have_words() -> None:
    moments = Moments(RECEIVED, extension_notified_at=NOW)
    read = plain(html_of(case(Kind.EXTENSION, moments=moments, extension_reason="number_of_requests")))
    assert "several requests from you" in read
    assert "We were to answer by 26 November 2026." in read
    assert "We now answer by 26 January 2027 at the latest." in read


@pytest.mark.parametrize(
    ("period", "words"),
    [
        ("P6Y", "6 years"),
        ("P18M", "18 months"),
        ("P1Y", "1 year"),
        ("P90D", "90 days"),
        ("P2Y6M", "2 years and 6 months"),
    ],
)
def test_how_long_letters_are_kept_is_told_in_words(period: str, words: str) -> None:
    facts = facts_of(CASES["refusal"], policy(), terms(), rules())
    page = letter_text.html_of(facts, ADDRESSEE, Period.parse(period), WORDS, zone=terms().zone)
    assert f"for {words} after the request" in plain(page)


# --- names -------------------------------------------------------------------------------------------------------

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "{{ 7 * 7 }} {% raw %}",
    "</title></head><body onload=alert(1)>",
    "*bold* _em_ #panic() $x^2$ @label <ref> \\ `code`",
    '#import "@preview/evil:1.0.0"',
    "&lt;b&gt; &amp;amp; &#0;",
    "O'Neill & Sons",
    "=cmd|' /C calc'!A0",
]


def test_a_name_is_text_and_nothing_else() -> None:
    plainly = html_of(CASES["outcome"], Addressee("NAME", ("LINE",), "MAIL"))
    for hostile in HOSTILE:
        made = html_of(CASES["outcome"], Addressee(hostile, (hostile,), hostile))
        shown = str(html.escape(hostile)).replace("&quot;", "&#34;").replace("&#x27;", "&#39;")
        expected = plainly.replace("NAME", shown).replace("LINE", shown).replace("MAIL", shown)
        assert made == expected


@pytest.mark.parametrize("hostile", HOSTILE)
def test_a_name_is_text_in_print_too(hostile: str) -> None:
    made = letter_of(CASES["refusal"], Addressee(hostile, (hostile,), None))
    text = pypdf.PdfReader(io.BytesIO(made.pdf)).pages[0].extract_text()
    squeezed = re.sub(r"\s", "", text)
    assert squeezed.count(re.sub(r"\s", "", hostile)) >= 2


@hypothesis_settings(deadline=None, max_examples=40)
@given(name=st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), min_size=1, max_size=60))
@example(name="\xa0")
@example(name="\xad")
def test_no_name_breaks_a_letter(name: str) -> None:
    addressee = Addressee(name, (name,), None)
    page = html_of(CASES["refusal"], addressee)
    assert (
        letter_text.letter_of(
            facts_of(CASES["refusal"], policy(), terms(), rules()), addressee, KEEP, WORDS, zone=terms().zone
        ).html
        == page
    )


# --- print -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", list(Kind))
def test_the_pdf_has_the_words_of_the_letter(kind: Kind) -> None:
    one = CASES[kind.value]
    made = letter_of(one)
    reader = pypdf.PdfReader(io.BytesIO(made.pdf))
    assert 1 <= len(reader.pages) <= 3
    text = "".join(page.extract_text() for page in reader.pages)
    foot = re.compile(r"ExampleTelecomLtd,ourreferenceDR20260001\dof\d")
    squeezed, feet = foot.subn("", re.sub(r"[\s\-]", "", text))
    assert feet == len(reader.pages)
    for words in (*EVERY_LETTER, ADDRESSEE.name, "Example Telecom Ltd", "DR-2026-0001", "24 November 2026"):
        assert re.sub(r"[\s\-]", "", words) in squeezed


def test_the_pdf_is_tagged_dated_and_told_in_english() -> None:
    reader = pypdf.PdfReader(io.BytesIO(letter_of(CASES["outcome"]).pdf))
    assert reader.metadata is not None
    assert reader.metadata.title == "What became of your request for erasure"
    assert reader.metadata.author == "Example Telecom Ltd"
    assert str(reader.metadata.creation_date)[:10] == "2026-11-24"
    catalogue = reader.trailer["/Root"]
    assert catalogue["/MarkInfo"]["/Marked"]  # type: ignore[index]
    assert catalogue["/Lang"] == "en-GB"  # type: ignore[index]
    assert "/StructTreeRoot" in catalogue  # type: ignore[operator]


def test_the_same_letter_is_the_same_bytes() -> None:
    assert letter_of(CASES["outcome"]) == letter_of(CASES["outcome"])


@pytest.mark.parametrize("name", ["Zażółć Ünal", "Олена", "Ελένη", "דוגמה", "مثال", "Nguyễn Thị"])
def test_names_in_the_scripts_that_the_fonts_have(name: str) -> None:
    made = letter_of(CASES["refusal"], Addressee(name, ("1 Sample Row",), None))
    text = pypdf.PdfReader(io.BytesIO(made.pdf)).pages[0].extract_text()
    assert set(name) <= set(text) | set("مثال")  # Arabic letters come out in the shapes that joined ones have


def test_a_name_that_no_font_has_is_refused_and_not_quoted() -> None:
    with pytest.raises(Unprintable) as refused:
        letter_of(CASES["refusal"], Addressee("ⴰⵎⵓⴷ", ("1 Sample Row",), None))
    assert "Tifinagh" in str(refused.value)
    assert "ⴰ" not in str(refused.value)
    assert refused.value.__cause__ is None
    assert refused.value.__context__ is None


def test_a_font_in_the_folder_of_fonts_is_used(tmp_path: Path) -> None:
    words = tmp_path / "letters"
    shutil.copytree(WORDS, words)
    (words / letter_text.FONTS).mkdir(exist_ok=True)
    shutil.copy(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / "DejaVuSans.ttf", words / letter_text.FONTS)
    made = letter_of(CASES["refusal"], Addressee("ⴰⵎⵓⴷ", ("1 Sample Row",), None), words)
    text = "".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(made.pdf)).pages)
    assert set("ⴰⵎⵓⴷ") <= set(text)


# --- templates ---------------------------------------------------------------------------------------------------


@pytest.fixture
def words(tmp_path: Path) -> Path:
    """The words, to be spoilt."""
    shutil.copytree(WORDS, tmp_path / "letters")
    return tmp_path / "letters"


def test_the_shipped_words_are_complete() -> None:
    letter_text.check_words(policy(), WORDS)


def test_words_that_are_missing_are_named(words: Path) -> None:
    file = words / "words.j2"
    text = file.read_text(encoding="utf-8").replace('  "invoices": "invoices",\n', "")
    file.write_text(
        text.replace('  "traffic": "When, for how long', '  "traffics": "When, for how long'), encoding="utf-8"
    )
    (words / "final.html.j2").unlink()
    with pytest.raises(PolicyError) as refused:
        letter_text.check_words(policy(), words)
    for missing in ("final.html.j2", "CATEGORIES: traffic", "RECORDS: invoices"):
        assert missing in str(refused.value)


@pytest.mark.parametrize("spoilt", ["{{ letter.nothing }}", "{% if %}", "{{ nobody.name }}"])
def test_a_template_that_cannot_be_used_is_named_and_quotes_nobody(words: Path, spoilt: str) -> None:
    file = words / "refusal.html.j2"
    file.write_text(file.read_text(encoding="utf-8").replace("<p>We have not done so.</p>", spoilt), encoding="utf-8")
    with pytest.raises(PolicyError) as refused:
        letter_of(CASES["refusal"], words=words)
    assert "policy/letters/refusal.html.j2" in str(refused.value)
    assert ADDRESSEE.name not in str(refused.value)
    assert refused.value.__context__ is None


def test_words_that_cannot_be_read_are_named(words: Path) -> None:
    (words / "words.j2").write_text("{% set CONTROLLER = { %}", encoding="utf-8")
    with pytest.raises(PolicyError, match=r"policy/letters/words\.j2, line 1"):
        letter_text.check_words(policy(), words)


@pytest.mark.parametrize(
    ("spoilt", "why"),
    [("<p>We <blink>have</blink> not.</p>", "element blink"), ("<p>We have <strong>not.</p>", "strong is open")],
)
def test_a_template_with_an_element_that_has_no_place_in_print_is_refused(words: Path, spoilt: str, why: str) -> None:
    file = words / "refusal.html.j2"
    file.write_text(file.read_text(encoding="utf-8").replace("<p>We have not done so.</p>", spoilt), encoding="utf-8")
    with pytest.raises(Unprintable, match=why):
        letter_of(CASES["refusal"], words=words)

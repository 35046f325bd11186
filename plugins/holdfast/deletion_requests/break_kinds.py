"""The kinds of break between requests, data, holds, restrictions and recipients, in words."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass


class Kind(enum.StrEnum):
    """What can disagree, the worst first. `MEANINGS` has the words."""

    ERASED_WHILE_HELD = "erased_while_held"
    HELD_ROWS_CHANGED = "held_rows_changed"
    HELD_ROWS_GONE = "held_rows_gone"
    RESTORED_DATA = "restored_data"
    COMPLETED_BUT_FOUND = "completed_but_found"
    PAST_DEADLINE = "past_deadline"
    OPEN_BUT_GONE = "open_but_gone"
    HELD_WITHOUT_RESTRICTION = "held_without_restriction"
    RESTRICTION_WITHOUT_HELD = "restriction_without_held"
    UNKNOWN_SUBJECT = "unknown_subject"
    CLOSED_UNASKED = "closed_unasked"
    BALANCE_DISAGREES = "balance_disagrees"
    LETTER_UNWRITTEN = "letter_unwritten"
    ENDED_UNTOLD = "ended_untold"
    RECIPIENT_UNCONFIRMED = "recipient_unconfirmed"
    CEASE_UNCONFIRMED = "cease_unconfirmed"
    HOLD_WITHOUT_SOURCE = "hold_without_source"
    HOLD_SOURCE_UNTRUSTED = "hold_source_untrusted"
    HOLD_WITHOUT_GROUND = "hold_without_ground"
    HOLD_WITHOUT_REVIEW = "hold_without_review"
    HOLD_REVIEW_OVERDUE = "hold_review_overdue"


INCIDENTS = frozenset((Kind.ERASED_WHILE_HELD, Kind.HELD_ROWS_CHANGED, Kind.HELD_ROWS_GONE))
"""Rows went that a hold should have kept: somebody must be woken."""


@dataclass(frozen=True)
class Counted:
    """What the count of a break counts, and what its `about` names; `by` is empty where it names nothing."""

    one: str
    many: str
    by: str = ""

    def __str__(self) -> str:
        return f"{self.many}, by {self.by}" if self.by else self.many


REQUESTS = Counted("request", "requests")
REQUESTS_BY_DATASET = Counted("request", "requests", "dataset")
DATASETS = Counted("dataset of a request", "datasets of requests", "dataset")
DATASETS_BY_TYPE = Counted("dataset of a request", "datasets of requests", "type of hold")
EACH_DATASET = Counted("dataset", "datasets", "dataset")
ACCOUNTS = Counted("account", "accounts", "dataset")
RECORDS = Counted("record", "records", "dataset")
LETTERS = Counted("letter", "letters", "kind of letter")
NOTICES = Counted("notice", "notices", "recipient")
HOLDS = Counted("hold", "holds", "type")


@dataclass(frozen=True)
class Meaning:
    """What a kind of break says, what is counted of it, and what a person should do."""

    what: str
    counted: Counted
    fix: str


MEANINGS: Mapping[Kind, Meaning] = {
    Kind.ERASED_WHILE_HELD: Meaning(
        "Rows were erased while a hold was active that covered every row of that subject in that dataset.",
        DATASETS_BY_TYPE,
        "Tell the data protection officer and counsel now; stop the job; recover the rows from a backup.",
    ),
    Kind.HELD_ROWS_CHANGED: Meaning(
        "Rows that a hold kept are not what they were before the run: some went, or were written over.",
        EACH_DATASET,
        "Tell the data protection officer and counsel now; compare the rows of the requests named with a backup.",
    ),
    Kind.HELD_ROWS_GONE: Meaning(
        "Rows that a hold kept at the beginning of the night were not there at its end, and no hold was changed or "
        "released.",
        DATASETS,
        "Tell the data protection officer and counsel now; find out which system removed them, ours or another.",
    ),
    Kind.RESTORED_DATA: Meaning(
        "A restored backup brought back what was erased; the run erases it again, except what a hold keeps now.",
        REQUESTS_BY_DATASET,
        "Read in the matrix what the run did, and replay until nothing is found; keep what was restored out of "
        "use until then.",
    ),
    Kind.COMPLETED_BUT_FOUND: Meaning(
        "A request is completed, and rows in its scope from before its completion are there.",
        REQUESTS_BY_DATASET,
        "If a backup was restored, apply the erasures again with holdfast request replay; otherwise find out where "
        "they come from. A category that the person gave anew stands in a record from before: ask whether it may stay.",
    ),
    Kind.PAST_DEADLINE: Meaning(
        "The statutory deadline is over, and the person has not been told the outcome.",
        REQUESTS,
        "Answer it today; say why it is late, and where the person can complain.",
    ),
    Kind.OPEN_BUT_GONE: Meaning(
        "Nothing in its scope is left, and the request is still open.",
        REQUESTS,
        "Let the next night settle it; if it stays, see holdfast request show for what it waits for.",
    ),
    Kind.HELD_WITHOUT_RESTRICTION: Meaning(
        "Something stays of a request that was carried out, and its use is not restricted (UK GDPR Art 18).",
        DATASETS,
        "Keep it out of ordinary use by hand; the next night that settles requests marks it.",
    ),
    Kind.RESTRICTION_WITHOUT_HELD: Meaning(
        "Data is marked as restricted although nothing of it stays, or although its request is closed.",
        DATASETS,
        "Let the next night lift it; before that, tell the person if they have been told of it (UK GDPR Art 18(3)).",
    ),
    Kind.UNKNOWN_SUBJECT: Meaning(
        "The request is about nobody we know, now.",
        REQUESTS,
        "Find out whether the account went before the request was carried out; then refuse it, or correct the account.",
    ),
    Kind.CLOSED_UNASKED: Meaning(
        "An account is past its own retention period and still there; nobody asked for it, and no hold keeps it.",
        ACCOUNTS,
        "See whether the retention run waits for an approval or has failed; it deals with the account, not a request.",
    ),
    Kind.BALANCE_DISAGREES: Meaning(
        "Two systems disagree on what the subject of an open request owes: a hold for it may be missing, or needless.",
        REQUESTS,
        "Have billing find out which of the two is right, before what depends on it goes or stays.",
    ),
    Kind.LETTER_UNWRITTEN: Meaning(
        "A letter to the person is owed, and could not be written.",
        LETTERS,
        "Restore the folder letters/ of the request from its backup, or make room for it; the next night tries again.",
    ),
    Kind.ENDED_UNTOLD: Meaning(
        "A request was refused or withdrawn, and nobody knows an address to tell the person so (UK GDPR Art 12(4)).",
        REQUESTS,
        "Tell the person the way they wrote; no letter follows, and this is reported once.",
    ),
    Kind.RECIPIENT_UNCONFIRMED: Meaning(
        "A recipient was to be told of an erasure or a restriction and has not confirmed it (UK GDPR Art 19).",
        NOTICES,
        "Ask the recipient; record what they say, or why they cannot be told.",
    ),
    Kind.CEASE_UNCONFIRMED: Meaning(
        "Records of 999 data were to be ceased three days ago, and no acknowledgement of it is known.",
        RECORDS,
        "Ask whoever sends the 999 data; the address stays until the emergency handling authority has confirmed it.",
    ),
    Kind.HOLD_WITHOUT_SOURCE: Meaning(
        "A hold is live that no source of the policy reports and nobody placed by hand: it has no owner.",
        HOLDS,
        "Put the source back into policy/holds.yaml, or release the holds with the reason source_retired.",
    ),
    Kind.HOLD_SOURCE_UNTRUSTED: Meaning(
        "A hold is live whose source was not believed when it was last asked: others may be missing.",
        HOLDS,
        "Have the source deliver all of its data in time; see holdfast hold sources.",
    ),
    Kind.HOLD_WITHOUT_GROUND: Meaning(
        "A hold is live without a legal ground, its own or that of its type.",
        HOLDS,
        "Have its owner give the ground, or release it.",
    ),
    Kind.HOLD_WITHOUT_REVIEW: Meaning(
        "A hold is live without an end and without a day on which somebody looks at it again.",
        HOLDS,
        "Have its owner set a day of review.",
    ),
    Kind.HOLD_REVIEW_OVERDUE: Meaning(
        "A hold is live although somebody should have looked at it by now.",
        HOLDS,
        "Have its owner confirm or release it.",
    ),
}

"""What can be wrong with a policy, and where: each finding names file, line, path and fix.

All findings are collected before anything is refused, so that a person corrects a file once and not ten times.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from holdfast.errors import CoverageError, PolicyError


class Check(enum.StrEnum):
    """The stable id of each kind of finding; docs/coverage.md says what each means. An id is never used again.

    P0 how the files are written · P1 data map · P2 retention schedule · P3 holds · P4 the database.
    """

    UNREADABLE = "P001"
    MALFORMED = "P002"
    DUPLICATE_KEY = "P003"
    ALIAS = "P004"
    MISSING_KEY = "P010"
    UNKNOWN_KEY = "P011"
    UNFIT_VALUE = "P012"
    UNKNOWN_TIME_ZONE = "P013"
    OTHER_CONNECTION = "P014"
    ACROSS_CONNECTIONS = "P015"

    TABLE_TWICE = "P101"
    OUTSIDE_SCHEMAS = "P102"
    OWN_REGISTERS = "P103"
    COLUMN_TWICE = "P104"
    COLUMN_NOT_LISTED = "P105"
    PATH_BROKEN = "P106"
    KEYS_DIFFER = "P107"
    NO_RULE = "P108"
    REVIEW_OVERDUE = "P109"
    PART_NEEDED = "P110"
    FOLDERS_OVERLAP = "P111"

    UNKNOWN_DATASET = "P201"
    UNKNOWN_CLASS = "P202"
    UNKNOWN_HOLD_TYPE = "P203"
    CLASS_UNUSED = "P204"
    START_NOT_LISTED = "P205"
    START_UNREACHABLE = "P206"
    CONDITION_NOT_LISTED = "P207"
    LEGAL_HOLD_IGNORED = "P208"
    ANONYMISED_NOT_LISTED = "P209"
    ANONYMISED_NEEDED = "P210"
    FILE_LEFT_BEHIND = "P211"
    RULES_CONFLICT = "P212"
    RULE_NEVER_APPLIES = "P213"
    ROWS_LEFT = "P214"
    UNDO_UNFIT = "P215"

    UNKNOWN_SOURCE_TYPE = "P301"
    AUTHORITY_DIFFERS = "P302"
    TYPE_WITHOUT_SOURCE = "P303"
    NO_LEGAL_TYPE = "P304"
    SOURCE_QUERY_MISSING = "P305"
    SOURCE_NOT_NAMED = "P306"

    SCHEMA_MISSING = "P401"
    TABLE_UNREGISTERED = "P402"
    TABLE_MISSING = "P403"
    NOT_A_TABLE = "P404"
    COLUMN_UNREGISTERED = "P405"
    COLUMN_MISSING = "P406"
    NO_PRIMARY_KEY = "P407"
    NOT_THE_KEY = "P408"
    START_TYPE = "P409"
    SUBJECT_TYPE = "P410"
    LINK_TYPE = "P411"
    CONDITION_TYPE = "P412"
    STRATEGY_TYPE = "P413"
    STRATEGY_REFUSED = "P414"
    URL_TYPE = "P415"
    CHANGES_OTHER_ROWS = "P416"
    INHERITED = "P417"
    TRIGGER = "P418"
    ROW_SECURITY = "P419"
    CHILD_NEVER_DELETED = "P420"
    SCHEMA_UNREGISTERED = "P421"


Document = str
"""`data_map`, `schedule` or `holds`: the names the three documents have in `Policy`."""

EntryPath = tuple[str, ...]
"""Where an entry stands: its document, then the keys that lead to it; places in a list are counted from 0."""


@dataclass(frozen=True)
class Places:
    """The file and line (from 1) of every entry. Two policies that say the same are equal wherever it is written."""

    files: Mapping[Document, str] = field(default_factory=dict, compare=False)
    lines: Mapping[EntryPath, int] = field(default_factory=dict, compare=False)

    def file(self, document: Document) -> str:
        return self.files.get(document, document)

    def line(self, path: EntryPath) -> int:
        """The line of an entry, or of the nearest entry above it that is written down."""
        while path and path not in self.lines:
            path = path[:-1]
        return self.lines.get(path, 1)


@dataclass(frozen=True, order=True)
class Problem:
    """One finding. `path` is dotted; `rule` is the id of the check; `fix` says what a person should do."""

    file: str
    line: int
    path: str
    rule: Check
    what: str
    fix: str

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}"
        return f"{where} {self.path} {self.rule}: {self.what} Fix: {self.fix}"


@dataclass(frozen=True)
class Finder:
    """Makes findings that know their place."""

    places: Places

    def __call__(self, check: Check, path: EntryPath, what: str, fix: str) -> Problem:
        return Problem(
            file=self.places.file(path[0]),
            line=self.places.line(path),
            path=".".join(path[1:]),
            rule=check,
            what=what,
            fix=fix,
        )


class PolicyRefused(PolicyError):
    """Raised by loading: the files do not make a policy. Nothing is enforced until every finding is put right."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        super().__init__(_summary("the policy", self.problems), fix=_next(self.problems), problems=len(self.problems))


class DatabaseNotCovered(CoverageError):
    """Raised before a run: policy and live database do not agree, so a run could miss data or destroy too much."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(sorted(problems))
        what = _summary("the policy against the database", self.problems)
        super().__init__(what, fix=_next(self.problems), problems=len(self.problems))


def _summary(subject: str, problems: tuple[Problem, ...]) -> str:
    first = problems[0]
    count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
    return f"{count} in {subject}; the first is {first.rule} at {first.file}:{first.line} {first.path}: {first.what}"


def _next(problems: tuple[Problem, ...]) -> str:
    return f"{problems[0].fix} `holdfast policy check` lists every problem."

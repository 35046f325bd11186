"""Each thing that can be wrong with the files alone: the edit that makes it so, and what must be said about it."""

from __future__ import annotations

from tests.holdfast.policy.shop import Edit, Expected

from holdfast.policy.problems import Check

MAP, SCHEDULE, HOLDS = "data_map.yaml", "retention_schedule.yaml", "holds.yaml"

Case = tuple[str, tuple[Edit, ...], tuple[Expected, ...]]


def _case(name: str, edit: Edit | tuple[Edit, ...], *expected: Expected) -> Case:
    return name, edit if isinstance(edit, tuple) else (edit,), expected


_CONDITIONAL_RULE = """\
  {name}:
    dataset: purchases
    deletion_class: {period}
    where: {where}
    start: {{column: bought_at, counts_from: end_of_accounting_period}}
    action: {action}
    strength: {strength}
    law: Records of an accounting period.
    source: nowhere
    owner: finance
  items-6y:
"""


def second_rule(
    name: str = "second", *, period: str = "made", where: str = "[]", action: str = "{do: delete}", strength: str
) -> Edit:
    text = _CONDITIONAL_RULE.format(name=name, period=period, where=where, action=action, strength=strength)
    return Edit(SCHEDULE, "  items-6y:\n", text)


def _connection(name: str) -> Edit:
    """A further database."""
    text = f"connections:\n  {name}:\n    description: What was sold in earlier years.\n    schemas: [shop]\n"
    return Edit(MAP, "schemas: [shop]\n", "schemas: [shop]\n" + text)


_ARCHIVED = """\
  old_photos:
    connection: archive
    table: shop.photo
    key: [photo_id]
    subject: {none: "Nobody knows any more who is on them."}
    files: {url: url, folders: [s3://shop/photos/old]}
    owner: sales
    description: Pictures of earlier years.
    columns:
      url: {category: content, sensitivity: confidential, legal_basis: contract}
      taken_on: {category: activity, sensitivity: ordinary, legal_basis: contract}
    not_personal: [photo_id]
"""
_ARCHIVED_RULE = """\
  old-photos-90d:
    dataset: old_photos
    deletion_class: brief
    start: {column: taken_on}
    action: {do: delete}
    strength: maximum
    law: Nobody looks at them.
    source: nowhere
    owner: sales
"""

WRITING: list[Case] = [
    _case(
        "malformed YAML",
        Edit(MAP, "schemas: [shop]", "schemas: [shop"),
        Expected(Check.MALFORMED, MAP, "datasets:", "", "this is not YAML", "indentation or punctuation"),
    ),
    _case(
        "a tab",
        Edit(HOLDS, "types:\n", "types:\n\tMORE: 1\n"),
        Expected(Check.MALFORMED, HOLDS, "MORE", "", "cannot start any token", "indentation or punctuation"),
    ),
    _case(
        "two documents in one file",
        Edit(HOLDS, "sources:", "---\nsources:"),
        Expected(Check.MALFORMED, HOLDS, "---", "", "expected a single document", "indentation"),
    ),
    _case(
        "a tag",
        Edit(HOLDS, "max_shrink: 0.5", "max_shrink: !!python/name:os.system x"),
        Expected(Check.MALFORMED, HOLDS, "max_shrink", "sources.till.max_shrink", "is not plain text", "plain value"),
    ),
    _case(
        "every duplicate key is named",
        (
            Edit(HOLDS, "    owner: finance\n", "    owner: finance\n    owner: sales\n"),
            Edit(HOLDS, "    meaning: The purchase", "    authority: tax\n    meaning: The purchase"),
        ),
        Expected(Check.DUPLICATE_KEY, HOLDS, "authority: tax", "types.UNPAID.authority", "second time", "keep one"),
        Expected(Check.DUPLICATE_KEY, HOLDS, "owner: sales", "sources.till.owner", "first in line 23", "keep one"),
    ),
    _case(
        "an alias",
        (
            Edit(HOLDS, "meaning: A court wants the record.", "meaning: &words A court wants the record."),
            Edit(HOLDS, "meaning: The purchase is not paid.", "meaning: *words"),
        ),
        Expected(Check.ALIAS, HOLDS, "*words", "", "*words repeats a value", "write the value out"),
    ),
    *(
        _case(
            f"a rule without {key}",
            Edit(SCHEDULE, line, ""),
            Expected(Check.MISSING_KEY, SCHEDULE, "photos-90d:", f"rules.photos-90d.{key}", f"`{key}` is missing", fix),
        )
        for key, line, fix in (
            ("deletion_class", "    deletion_class: brief\n", "which gives the period"),
            ("law", "    law: No longer needed after a complaint.\n", "that the period rests on"),
            ("strength", "    strength: maximum\n", "add `strength:`"),
        )
    ),
    _case(
        "a rule without owner",
        Edit(SCHEDULE, "a complaint.\n    source: nowhere\n    owner: sales\n", "a complaint.\n    source: nowhere\n"),
        Expected(
            Check.MISSING_KEY, SCHEDULE, "photos-90d:", "rules.photos-90d.owner", "`owner` is missing", "answers for it"
        ),
    ),
    _case(
        "a class without a period",
        Edit(SCHEDULE, "brief: {period: P90D, ", "brief: {"),
        Expected(Check.MISSING_KEY, SCHEDULE, "brief: {", "classes.brief.period", "`period` is missing", "ISO 8601"),
    ),
    _case(
        "an exemption without a day of review",
        Edit(MAP, "    review_by: 2030-06-30\n", ""),
        Expected(
            Check.MISSING_KEY, MAP, "shop.turnover", "exemptions.shop.turnover.review_by", "missing", "the day by which"
        ),
    ),
    _case(
        "a misspelt key",
        Edit(SCHEDULE, "    strength: maximum", "    strenght: maximum"),
        Expected(Check.MISSING_KEY, SCHEDULE, "photos-90d:", "rules.photos-90d.strength", "is missing", "add"),
        Expected(
            Check.UNKNOWN_KEY,
            SCHEDULE,
            "strenght",
            "rules.photos-90d.strenght",
            "called `strenght`",
            "did you mean `strength`",
        ),
    ),
    _case(
        "a key of no kind",
        Edit(HOLDS, "version: 1", "version: 1\nzzzz: 1"),
        Expected(Check.UNKNOWN_KEY, HOLDS, "zzzz", "zzzz", "called `zzzz`", "remove it"),
    ),
    _case(
        "a period that is none",
        Edit(SCHEDULE, "period: P90D", "period: 90 days"),
        Expected(Check.UNFIT_VALUE, SCHEDULE, "90 days", "classes.brief.period", "not an ISO 8601 period", "schema"),
    ),
    *(
        _case(
            f"nine digits in a row in the name of a {what}",
            edits,
            Expected(Check.UNFIT_VALUE, file, line, path, "nine digits in a row", "part the digits with _ or -"),
        )
        for what, edits, file, line, path in (
            (
                "rule",
                Edit(SCHEDULE, "  photos-90d:\n", "  photos-202601011:\n"),
                SCHEDULE,
                "photos-202601011",
                "rules.photos-202601011",
            ),
            (
                "hold source",
                Edit(HOLDS, "  till:\n", "  till-0123456789:\n"),
                HOLDS,
                "till-0123456789",
                "sources.till-0123456789",
            ),
            (
                "class",
                Edit(SCHEDULE, "  brief: {period", "  brief-000000000: {period"),
                SCHEDULE,
                "brief-000000000",
                "classes.brief-000000000",
            ),
        )
    ),
    _case(
        "a number in quotes",
        Edit(HOLDS, "max_age_hours: 30", 'max_age_hours: "30"'),
        Expected(Check.UNFIT_VALUE, HOLDS, '"30"', "sources.till.max_age_hours", "valid integer", "whole number"),
    ),
    _case(
        "yes is not true",
        Edit(HOLDS, "disclosable: true", "disclosable: yes"),
        Expected(Check.UNFIT_VALUE, HOLDS, ": yes", "types.UNPAID.disclosable", "valid boolean", "true or false"),
    ),
    _case(
        "null without quotes",
        Edit(SCHEDULE, 'to: "null"', "to: null"),
        Expected(
            Check.UNFIT_VALUE,
            SCHEDULE,
            "to: null",
            "rules.customers-2y.action.columns.full_name",
            "'null'",
            "in quotes ('null')",
        ),
    ),
    _case(
        "a day that does not exist",
        Edit(MAP, "2030-06-30", "2030-06-31"),
        Expected(
            Check.UNFIT_VALUE, MAP, "06-31", "exemptions.shop.turnover.review_by", "valid date", "a day that exists"
        ),
    ),
    _case(
        "a reason that is none",
        Edit(MAP, "reason: A view of purchases without data of its own.", "reason: TBD"),
        Expected(
            Check.UNFIT_VALUE, MAP, "TBD", "exemptions.shop.turnover.reason", "at least 10 characters", "in words"
        ),
    ),
    _case(
        "a subject that is two",
        Edit(
            MAP,
            "{through: {columns: [purchase_id], dataset: purchases}}",
            "{column: note, through: {columns: [purchase_id], dataset: purchases}}",
        ),
        Expected(
            Check.UNFIT_VALUE, MAP, "column: note", "datasets.items.subject", "either column or through", "schema"
        ),
    ),
    _case(
        "a hold type in lower case",
        Edit(HOLDS, "  COURT:", "  court:"),
        Expected(Check.UNFIT_VALUE, HOLDS, "court:", "types.court", "match pattern", "as in the other entries"),
    ),
    _case(
        "a time zone that is none",
        Edit(SCHEDULE, "Europe/London", "Europe/Londen"),
        Expected(
            Check.UNKNOWN_TIME_ZONE, SCHEDULE, "Londen", "time_zone", "no time zone 'Europe/Londen'", "Europe/London"
        ),
    ),
    _case(
        "a dataset in a database that the data map does not have",
        Edit(MAP, "    table: shop.photo", "    connection: archive\n    table: shop.photo"),
        Expected(
            Check.OTHER_CONNECTION,
            MAP,
            "archive",
            "datasets.photos.connection",
            "shop.photo is on the connection 'archive'; the data map has only holdfast",
            "under `connections: {archive: ...}`",
        ),
    ),
    _case(
        "a hold source in a database that the data map does not have",
        Edit(HOLDS, "    max_age_hours: 30", "    connection: archive\n    max_age_hours: 30"),
        Expected(
            Check.OTHER_CONNECTION, HOLDS, "archive", "sources.till.connection", "the hold source till", "archive: ..."
        ),
    ),
    _case(
        "a connection with the name of another",
        _connection("alerts"),
        Expected(
            Check.UNFIT_VALUE, MAP, "  alerts:", "connections.alerts", "name of another connection", "another name"
        ),
    ),
]

DATA_MAP: list[Case] = [
    _case(
        "one table, two datasets",
        Edit(MAP, "table: shop.photo", "table:  shop.item"),
        Expected(
            Check.TABLE_TWICE,
            MAP,
            "table:  shop.item",
            "datasets.photos.table",
            "registered already as items",
            "one dataset",
        ),
    ),
    _case(
        "a dataset that is exempt",
        Edit(MAP, "  shop.turnover:", "  shop.photo:"),
        Expected(
            Check.TABLE_TWICE, MAP, "table: shop.photo", "datasets.photos.table", "dataset and an exemption", "remove"
        ),
    ),
    _case(
        "a schema that is covered and exempt",
        Edit(
            MAP,
            "schemas: [shop]",
            "schemas: [shop]\nother_schemas:\n"
            "  shop: {reason: Made for this test alone., owner: sales, review_by: 2030-01-01}",
        ),
        Expected(
            Check.TABLE_TWICE, MAP, "  shop: {", "other_schemas.shop", "to be covered, and is exempt", "remove it"
        ),
    ),
    _case(
        "a schema that nobody watches",
        Edit(MAP, "  shop.turnover:", "  store.turnover:"),
        Expected(
            Check.OUTSIDE_SCHEMAS,
            MAP,
            "store.turnover",
            "exemptions.store.turnover",
            "store is not one of",
            "add store",
        ),
    ),
    _case(
        "a rule for the ledger",
        Edit(MAP, "table: shop.photo", "table: holdfast.ledger_entry"),
        Expected(
            Check.OWN_REGISTERS,
            MAP,
            "ledger_entry",
            "datasets.photos.table",
            "ledger, holds and runs are never due",
            "remove",
        ),
    ),
    _case(
        "a column that is emptied for its category and that the row needs",
        Edit(
            MAP,
            "bought_at: {category: activity, sensitivity: ordinary, legal_basis: contract}",
            'bought_at: {category: activity, sensitivity: ordinary, legal_basis: contract, in_part: {to: "null"}}',
        ),
        Expected(
            Check.PART_NEEDED,
            MAP,
            "in_part",
            "datasets.purchases.columns.bought_at.in_part",
            "bought_at of purchases must stay as it is while the row stays: it is the ",
            "leave in_part out",
        ),
    ),
    _case(
        "folders of objects that lie in one another",
        Edit(MAP, "files: {url: url}", "files: {url: url, folders: [s3://shop/photos/2, s3://shop/photos]}"),
        Expected(
            Check.FOLDERS_OVERLAP,
            MAP,
            "files:",
            "datasets.photos.files.folders.0",
            "the folder lies in s3://shop/photos/ of photos",
            "name each folder once",
        ),
    ),
    _case(
        "a folder of objects of two databases",
        (
            _connection("archive"),
            Edit(MAP, "files: {url: url}", "files: {url: url, folders: [s3://shop/photos]}"),
            Edit(MAP, "exemptions:\n", _ARCHIVED + "exemptions:\n"),
            Edit(SCHEDULE, "  items-6y:\n", _ARCHIVED_RULE + "  items-6y:\n"),
        ),
        Expected(
            Check.FOLDERS_OVERLAP,
            MAP,
            "s3://shop/photos/old",
            "datasets.old_photos.files.folders.0",
            "rows of another database",
            "folders of their own",
        ),
    ),
    _case(
        "objects of another database of which nobody says where they lie",
        (
            _connection("archive"),
            Edit(MAP, "files: {url: url}", "files: {url: url, folders: [s3://shop/photos]}"),
            Edit(MAP, "exemptions:\n", _ARCHIVED.replace(", folders: [s3://shop/photos/old]", "") + "exemptions:\n"),
            Edit(SCHEDULE, "  items-6y:\n", _ARCHIVED_RULE + "  items-6y:\n"),
        ),
        Expected(
            Check.FOLDERS_OVERLAP,
            MAP,
            "files: {url: url}",
            "datasets.old_photos.files.folders",
            "they count as nobody's",
            "name the folders of these as well",
        ),
    ),
    _case(
        "a column that is personal and is not",
        Edit(MAP, "not_personal: [photo_id, ", "not_personal: [photo_id, url, "),
        Expected(
            Check.COLUMN_TWICE, MAP, "photo_id, url", "datasets.photos.not_personal.1", "url is listed twice", "once"
        ),
    ),
    *(
        _case(
            f"{use} of an unknown column",
            Edit(MAP, old, new),
            Expected(Check.COLUMN_NOT_LISTED, MAP, at, path, "the column nothing is not listed", "correct the name"),
        )
        for use, old, new, at, path in (
            ("key", "key: [photo_id]", "key: [nothing]", "key: [nothing]", "datasets.photos.key.0"),
            ("event", "event: taken_on", "event: nothing", "event: nothing", "datasets.photos.event"),
            ("file", "files: {url: url}", "files: {url: nothing}", "files: {url: nothing", "datasets.photos.files.url"),
            (
                "subject",
                "subject: {column: customer_no}\n    event",
                "subject: {column: nothing}\n    event",
                "{column: nothing}",
                "datasets.purchases.subject",
            ),
        )
    ),
    _case(
        "a way to the subject through nothing",
        Edit(MAP, "dataset: items}}", "dataset: nothing}}"),
        Expected(
            Check.PATH_BROKEN,
            MAP,
            "dataset: nothing",
            "datasets.photos.subject.through.dataset",
            "no dataset nothing",
            "name a",
        ),
    ),
    _case(
        "a way to the subject through another database",
        (_connection("archive"), Edit(MAP, "    table: shop.photo", "    connection: archive\n    table: shop.photo")),
        Expected(
            Check.ACROSS_CONNECTIONS,
            MAP,
            "dataset: items",
            "datasets.photos.subject.through.dataset",
            "photos is on the connection 'archive' and items, which it leads to, on 'holdfast'",
            "keep both in one database",
        ),
    ),
    _case(
        "facts for statistics from another database",
        (
            _connection("archive"),
            Edit(
                MAP,
                "    table: shop.photo",
                "    connection: archive\n    facts_first: true\n    table: shop.photo",
            ),
            Edit(
                MAP,
                "subject: {through: {columns: [purchase_id, line_no], dataset: items}}",
                "subject: {none: Nobody is in these pictures.}",
            ),
        ),
        Expected(
            Check.ACROSS_CONNECTIONS,
            MAP,
            "facts_first",
            "datasets.photos.facts_first",
            "statistics take their facts from 'holdfast' alone",
            "keep the table",
        ),
    ),
    _case(
        "a way to the subject in a circle",
        (
            Edit(
                MAP,
                "{through: {columns: [purchase_id], dataset: purchases}}",
                "{through: {columns: [note], dataset: photos}}",
            ),
            Edit(
                SCHEDULE,
                "{dataset: purchases, link: path, column: bought_at}",
                "{dataset: purchases, link: key, by: [purchase_id], column: bought_at}",
            ),
        ),
        Expected(
            Check.PATH_BROKEN,
            MAP,
            "dataset: photos",
            "datasets.items.subject.through.dataset",
            "to no subject",
            "lead it",
        ),
        Expected(
            Check.PATH_BROKEN,
            MAP,
            "dataset: items",
            "datasets.photos.subject.through.dataset",
            "to no subject",
            "lead it",
        ),
    ),
    _case(
        "half a key",
        Edit(
            MAP,
            "{through: {columns: [purchase_id, line_no], dataset: items}}",
            "{through: {columns: [line_no], dataset: items}}",
        ),
        Expected(
            Check.KEYS_DIFFER,
            MAP,
            "[line_no]",
            "datasets.photos.subject.through.columns",
            "the key of items has 2 columns (purchase_id, line_no), these are 1",
            "in the order of that key",
        ),
    ),
    _case(
        "a dataset without a rule",
        Edit(SCHEDULE, "dataset: photos", "dataset: customers"),
        Expected(Check.NO_RULE, MAP, "  photos:", "datasets.photos", "kept for ever", "no_rule"),
        Expected(
            Check.START_NOT_LISTED,
            SCHEDULE,
            "{column: taken_on}",
            "rules.photos-90d.start.column",
            "taken_on in customers",
            "name",
        ),
    ),
    _case(
        "a dataset with a rule and a reason for none",
        Edit(
            MAP,
            "    description: The lines",
            "    no_rule: {reason: Nobody has thought of it., owner: sales, review_by: 2030-01-01}\n"
            "    description: The lines",
        ),
        Expected(
            Check.NO_RULE, MAP, "Nobody has", "datasets.items.no_rule", "said to have no rule, and has one", "remove"
        ),
    ),
]

RULES: list[Case] = [
    _case(
        "a rule for nothing",
        Edit(SCHEDULE, "dataset: items\n", "dataset: nothing\n"),
        Expected(Check.NO_RULE, MAP, "  items:", "datasets.items", "kept for ever", "no_rule"),
        Expected(
            Check.UNKNOWN_DATASET, SCHEDULE, "nothing", "rules.items-6y.dataset", "no dataset nothing", "data_map.yaml"
        ),
    ),
    _case(
        "a start in nothing",
        Edit(SCHEDULE, "{dataset: purchases, link: path", "{dataset: nothing, link: path"),
        Expected(
            Check.UNKNOWN_DATASET,
            SCHEDULE,
            "nothing",
            "rules.items-6y.start.dataset",
            "the period would never start",
            "name a",
        ),
    ),
    _case(
        "a class that is not there",
        Edit(SCHEDULE, "deletion_class: brief", "deletion_class: ages"),
        Expected(Check.CLASS_UNUSED, SCHEDULE, "  brief:", "classes.brief", "no rule uses", "remove it"),
        Expected(
            Check.UNKNOWN_CLASS,
            SCHEDULE,
            "ages",
            "rules.photos-90d.deletion_class",
            "so the rule has no period",
            "add it",
        ),
    ),
    _case(
        "a hold type that is not there",
        Edit(SCHEDULE, "[COURT, UNPAID]", "[COURT, UNPAYED]"),
        Expected(
            Check.UNKNOWN_HOLD_TYPE,
            SCHEDULE,
            "UNPAYED",
            "rules.purchases-6y.holds.1",
            "no hold type UNPAYED",
            "holds.yaml",
        ),
    ),
    _case(
        "a rule that a court cannot stop",
        Edit(SCHEDULE, "[COURT, UNPAID]", "[UNPAID]"),
        Expected(
            Check.LEGAL_HOLD_IGNORED,
            SCHEDULE,
            "[UNPAID]",
            "rules.purchases-6y.holds",
            "a legal hold must be able to stop every deletion; this rule would ignore COURT",
            "holds: all",
        ),
    ),
    _case(
        "a start column that is not listed",
        Edit(SCHEDULE, "link: path, column: bought_at", "link: path, column: sold_at"),
        Expected(
            Check.START_NOT_LISTED,
            SCHEDULE,
            "sold_at",
            "rules.items-6y.start.column",
            "no column sold_at in purchases",
            "correct",
        ),
    ),
    _case(
        "a link by a column that is not listed",
        Edit(SCHEDULE, "link: path, column: bought_at", "link: key, by: [order_no], column: bought_at"),
        Expected(
            Check.START_NOT_LISTED,
            SCHEDULE,
            "order_no",
            "rules.items-6y.start.by.0",
            "no column order_no in items",
            "list",
        ),
    ),
    _case(
        "a link by too many columns",
        Edit(SCHEDULE, "link: path, column: bought_at", "link: key, by: [purchase_id, line_no], column: bought_at"),
        Expected(
            Check.KEYS_DIFFER,
            SCHEDULE,
            "by: [",
            "rules.items-6y.start.by",
            "has 1 columns (purchase_id), these are 2",
            "one column",
        ),
    ),
    _case(
        "a way that does not pass the start",
        Edit(
            SCHEDULE,
            "{dataset: purchases, link: path, column: bought_at}",
            "{dataset: photos, link: path, column: taken_on}",
        ),
        Expected(
            Check.START_UNREACHABLE,
            SCHEDULE,
            "dataset: photos, l",
            "rules.items-6y.start.link",
            "does not pass photos",
            "use",
        ),
    ),
    _case(
        "events of an account in a dataset that has no account",
        Edit(
            SCHEDULE,
            "{dataset: purchases, link: path, column: bought_at}",
            "{dataset: photos, link: subject, column: taken_on}",
        ),
        Expected(
            Check.START_UNREACHABLE,
            SCHEDULE,
            "link: subject",
            "rules.items-6y.start.link",
            "in a column of its own",
            "name a dataset",
        ),
    ),
    _case(
        "a link by a subject that there is not",
        (
            Edit(MAP, "{through: {columns: [purchase_id], dataset: purchases}}", "{none: Lines are about nobody.}"),
            Edit(MAP, "{through: {columns: [purchase_id, line_no], dataset: items}}", "{none: Pictures show nobody.}"),
            Edit(SCHEDULE, "link: path, column: bought_at", "link: subject, column: bought_at"),
        ),
        Expected(
            Check.START_UNREACHABLE,
            SCHEDULE,
            "link: subject",
            "rules.items-6y.start.link",
            "items has no subject",
            "link: key",
        ),
    ),
    _case(
        "a condition on a column that is not listed",
        second_rule(where="[{column: shop, is_in: [web]}]", strength="statutory"),
        Expected(
            Check.CONDITION_NOT_LISTED,
            SCHEDULE,
            "shop,",
            "rules.second.where.0.column",
            "no column shop in purchases",
            "correct",
        ),
    ),
    _case(
        "anonymising a column that is not listed",
        Edit(SCHEDULE, "full_name: {to", "name: {to"),
        Expected(
            Check.ANONYMISED_NOT_LISTED,
            SCHEDULE,
            "name: {to",
            "rules.customers-2y.action.columns.name",
            "no column name in customers",
            "list the column",
        ),
    ),
    *(
        _case(
            f"anonymising {why}",
            Edit(SCHEDULE, "        full_name: {to", f"        {column}: {{to"),
            Expected(
                Check.ANONYMISED_NEEDED,
                SCHEDULE,
                f"        {column}: {{to",
                f"rules.customers-2y.action.columns.{column}",
                why,
                "leave it out",
            ),
        )
        for column, why in (("customer_no", "part of the key"), ("left_on", "the start event of the rule customers-2y"))
    ),
    _case(
        "anonymising what others start from",
        (
            Edit(
                SCHEDULE,
                "    action: {do: delete}\n    strength: statutory\n    holds",
                "    action: {do: anonymise, columns: {bought_at: {to: date, precision: year}}}\n"
                "    strength: statutory\n    holds",
            ),
            Edit(MAP, "    event: bought_at\n", ""),
        ),
        Expected(
            Check.ANONYMISED_NEEDED,
            SCHEDULE,
            "bought_at: {to",
            "rules.purchases-6y.action.columns.bought_at",
            "the start event of the rule items-6y",
            "leave it out",
        ),
    ),
    _case(
        "anonymising a row and leaving its file",
        Edit(
            SCHEDULE,
            "{column: taken_on}\n    action: {do: delete}",
            '{column: taken_on}\n    action: {do: anonymise, columns: {url: {to: "null"}}}',
        ),
        Expected(
            Check.FILE_LEFT_BEHIND, SCHEDULE, "url: {to", "rules.photos-90d.action", "keep what the row loses", "delete"
        ),
    ),
    _case(
        "an undo window for rows that stand for files, longer than their period",
        Edit(
            SCHEDULE,
            "{column: taken_on}\n    action: {do: delete}",
            "{column: taken_on}\n    undo_days: 28\n    action: {do: delete}",
        ),
        Expected(
            Check.UNDO_UNFIT,
            SCHEDULE,
            "undo_days: 28",
            "rules.photos-90d.undo_days",
            "each row stands for a file",
            "take undo_days out",
        ),
    ),
    _case(
        "gone and kept at once",
        second_rule(period="brief", strength="maximum"),
        Expected(
            Check.RULES_CONFLICT,
            SCHEDULE,
            "  second:",
            "rules.second",
            "must be gone after P90D by this rule, and are kept for P6Y by purchases-6y",
            "no row meets both",
        ),
    ),
    _case(
        "two periods of keeping",
        second_rule(period="parted", strength="business"),
        Expected(
            Check.RULE_NEVER_APPLIES, SCHEDULE, "  second:", "rules.second", "keeps the same rows for P6Y", "remove"
        ),
    ),
    _case(
        "anonymised after it is deleted",
        (
            second_rule(period="made", strength="maximum", action='{do: anonymise, columns: {ip: {to: "null"}}}'),
            Edit(SCHEDULE, "    strength: statutory\n    holds", "    strength: maximum\n    holds"),
        ),
        Expected(
            Check.RULE_NEVER_APPLIES,
            SCHEDULE,
            "  second:",
            "rules.second",
            "deletes the same rows after P6Y",
            "shorten its period",
        ),
    ),
    _case(
        "anonymised and never deleted",
        (
            second_rule(
                period="brief",
                where="[{column: channel, is_in: [web]}]",
                strength="maximum",
                action='{do: anonymise, columns: {ip: {to: "null"}}}',
            ),
            Edit(SCHEDULE, "    strength: statutory\n    holds", "    strength: maximum\n    holds"),
        ),
        Expected(
            Check.ROWS_LEFT,
            SCHEDULE,
            "  second:",
            "rules.second",
            "anonymised and never deleted: purchases-6y has no conditions",
            "with the same conditions",
        ),
    ),
]

HOLD_MATRIX: list[Case] = [
    _case(
        "a source of unknown holds",
        Edit(HOLDS, "types: [UNPAID]", "types: [UNPAID, LATE]"),
        Expected(Check.UNKNOWN_SOURCE_TYPE, HOLDS, "LATE", "sources.till.types.1", "no hold type LATE", "add it"),
    ),
    _case(
        "a source that speaks for another",
        Edit(HOLDS, "types: [UNPAID]", "types: [UNPAID, COURT]"),
        Expected(
            Check.AUTHORITY_DIFFERS,
            HOLDS,
            "[UNPAID, COURT]",
            "sources.till.types.1",
            "COURT has the authority legal",
            "a source of its",
        ),
    ),
    _case(
        "a type that nobody reports",
        Edit(HOLDS, "    by_hand: true\n", ""),
        Expected(
            Check.TYPE_WITHOUT_SOURCE, HOLDS, "  COURT:", "types.COURT", "can never stop anything", "by_hand: true"
        ),
    ),
    _case(
        "no court",
        Edit(HOLDS, "authority: legal", "authority: audit"),
        Expected(Check.NO_LEGAL_TYPE, HOLDS, "types:", "types", "a court could not stop", "LITIGATION"),
    ),
]

CASES = [*WRITING, *DATA_MAP, *RULES, *HOLD_MATRIX]

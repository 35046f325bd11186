"""Each thing that can be wrong with a database under a sound policy: the statements that make it so, and what is said.

Most need a change of the policy as well, to name what the database then has.
"""

from __future__ import annotations

from tests.holdfast.policy.bad_files import HOLDS, MAP, SCHEDULE
from tests.holdfast.policy.shop import Edit, Expected

from holdfast.policy.problems import Check

Case = tuple[str, str, tuple[Edit, ...], tuple[Expected, ...]]

_ANONYMISED = '        full_name: {to: "null"}'


def _case(name: str, statements: str, edits: tuple[Edit, ...] | Edit, *expected: Expected) -> Case:
    return name, statements, edits if isinstance(edits, tuple) else (edits,), expected


def _strategy(strategy: str) -> Edit:
    return Edit(SCHEDULE, _ANONYMISED, f"        full_name: {strategy}")


def _strategy_found(check: Check, what: str, fix: str) -> Expected:
    return Expected(check, SCHEDULE, "        full_name: {", "rules.customers-2y.action.columns.full_name", what, fix)


def _exempt(table: str) -> Edit:
    text = (
        f"exemptions:\n  {table}:\n    reason: Made for this test alone.\n    owner: sales\n    review_by: 2030-01-01\n"
    )
    return Edit(MAP, "exemptions:\n", text)


def _other_schema(day: str) -> Edit:
    waiver = f"{{reason: Made for this test alone., owner: sales, review_by: {day}}}"
    return Edit(MAP, "schemas: [shop]", f"schemas: [shop]\nother_schemas:\n  store: {waiver}")


COVERAGE: list[Case] = [
    *(
        _case(
            f"an unregistered {kind}",
            statements,
            (),
            Expected(
                Check.TABLE_UNREGISTERED,
                MAP,
                "datasets:",
                "datasets",
                f"the {kind} shop.extra is neither a dataset nor exempt",
                "exempt it with a reason, an owner and a day of review",
            ),
        )
        for kind, statements in (
            ("table", "CREATE TABLE shop.extra (n int)"),
            ("partitioned table", "CREATE TABLE shop.extra (n int) PARTITION BY RANGE (n)"),
            ("view", "CREATE VIEW shop.extra AS SELECT 1 AS n"),
            ("materialised view", "CREATE MATERIALIZED VIEW shop.extra AS SELECT 1 AS n"),
            (
                "foreign table",
                "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"
                "CREATE FOREIGN TABLE shop.extra (n int) SERVER s",
            ),
        )
    ),
    _case(
        "an unregistered column",
        "ALTER TABLE shop.photo ADD COLUMN face bytea",
        Edit(MAP, "    columns:\n      taken_on", "    columns:  # of photos\n      taken_on"),
        Expected(
            Check.COLUMN_UNREGISTERED,
            MAP,
            "# of photos",
            "datasets.photos.columns",
            "the column face of shop.photo is not listed",
            "list it under `columns` if it can hold personal data",
        ),
    ),
    _case(
        "a column that is gone",
        "ALTER TABLE shop.item DROP COLUMN note",
        (),
        Expected(
            Check.COLUMN_MISSING, MAP, "note: {", "datasets.items.columns.note", "has no column note", "wherever a rule"
        ),
    ),
    _case(
        "a column that is gone and was not personal",
        "ALTER TABLE shop.purchase DROP COLUMN channel",
        (),
        Expected(
            Check.COLUMN_MISSING,
            MAP,
            "[purchase_id, channel]",
            "datasets.purchases.not_personal.1",
            "shop.purchase has no column channel",
            "correct the name",
        ),
    ),
    _case(
        "a table that is gone",
        "DROP TABLE shop.photo",
        (),
        Expected(
            Check.TABLE_MISSING, MAP, "table: shop.photo", "datasets.photos.table", "has no table shop.photo", "remove"
        ),
    ),
    _case(
        "an exemption of nothing",
        "DROP VIEW shop.turnover",
        (),
        Expected(
            Check.TABLE_MISSING,
            MAP,
            "shop.turnover:",
            "exemptions.shop.turnover",
            "has no shop.turnover",
            "remove the exemption",
        ),
    ),
    _case(
        "a schema that is not there",
        "SELECT 1",
        Edit(MAP, "schemas: [shop]", "schemas: [shop, store]"),
        Expected(
            Check.SCHEMA_MISSING, MAP, "store", "schemas.1", "the database has no schema store", "correct the name"
        ),
    ),
    _case(
        "a schema that nobody has mentioned",
        "CREATE SCHEMA store; CREATE TABLE store.lead (email text)",
        (),
        Expected(
            Check.SCHEMA_UNREGISTERED,
            MAP,
            "schemas: [shop]",
            "schemas",
            "the schema store is not mentioned; tables and views in it: 1",
            "register its tables, or say under `other_schemas` why",
        ),
    ),
    _case(
        "a schema that nobody has looked at",
        "CREATE SCHEMA store; CREATE TABLE store.lead (email text)",
        _other_schema("2026-11-23"),
        Expected(
            Check.REVIEW_OVERDUE,
            MAP,
            "2026-11-23",
            "other_schemas.store.review_by",
            "the exemption of the schema store was to be reviewed by 2026-11-23",
            "sales looks again",
        ),
    ),
    *(
        _case(
            f"a {kind} for a dataset",
            f"CREATE TABLE shop.picture (LIKE shop.photo); DROP TABLE shop.photo; {statements}",
            _exempt("shop.picture"),
            Expected(
                Check.NOT_A_TABLE,
                MAP,
                "table: shop.photo",
                "datasets.photos.table",
                f"shop.photo is a {kind}",
                f"register the table that has the rows, and exempt the {kind}",
            ),
        )
        for kind, statements in (
            ("view", "CREATE VIEW shop.photo AS SELECT * FROM shop.picture"),
            ("materialised view", "CREATE MATERIALIZED VIEW shop.photo AS SELECT * FROM shop.picture"),
            (
                "foreign table",
                "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w;"
                "CREATE FOREIGN TABLE shop.photo"
                " (photo_id uuid, purchase_id bigint, line_no integer, taken_on date, url text) SERVER s",
            ),
        )
    ),
    _case(
        "no primary key",
        "ALTER TABLE shop.photo DROP CONSTRAINT photo_pkey",
        (),
        Expected(
            Check.NO_PRIMARY_KEY,
            MAP,
            "key: [photo_id]",
            "datasets.photos.key",
            "shop.photo has no primary key, so a row cannot be named",
            "add a primary key",
        ),
    ),
    *(
        _case(
            f"{name} is no key",
            f"ALTER TABLE shop.photo DROP CONSTRAINT photo_pkey; {statements}",
            (),
            Expected(Check.NO_PRIMARY_KEY, MAP, "key: [photo_id]", "datasets.photos.key", "no primary key", "add a"),
        )
        for name, statements in (
            ("a unique index over a column that may be null", "CREATE UNIQUE INDEX ON shop.photo (taken_on)"),
            ("a partial unique index", "CREATE UNIQUE INDEX ON shop.photo (photo_id) WHERE line_no > 0"),
            ("a unique index over an expression", "CREATE UNIQUE INDEX ON shop.photo (lower(url))"),
            ("a deferrable constraint", "ALTER TABLE shop.photo ADD UNIQUE (photo_id) DEFERRABLE"),
        )
    ),
    _case(
        "not the key",
        "SELECT 1",
        Edit(MAP, "key: [photo_id]", "key: [line_no, purchase_id]"),
        Expected(
            Check.NOT_THE_KEY,
            MAP,
            "key: [line_no, purchase_id]",
            "datasets.photos.key",
            "(line_no, purchase_id) is not the key of shop.photo, which is (photo_id)",
            "all of them",
        ),
    ),
    _case(
        "half the key",
        "SELECT 1",
        (
            Edit(MAP, "key: [purchase_id, line_no]", "key: [line_no]"),
            Edit(MAP, "{through: {columns: [purchase_id, line_no], dataset: items}}", "{none: Pictures show nobody.}"),
        ),
        Expected(
            Check.NOT_THE_KEY, MAP, "key: [line_no]", "datasets.items.key", "(purchase_id, line_no)", "all of them"
        ),
    ),
    _case(
        "an exemption that nobody has looked at",
        "SELECT 1",
        Edit(MAP, "2030-06-30", "2026-11-23"),
        Expected(
            Check.REVIEW_OVERDUE,
            MAP,
            "2026-11-23",
            "exemptions.shop.turnover.review_by",
            "the exemption of shop.turnover was to be reviewed by 2026-11-23",
            "sales looks again",
        ),
    ),
    _case(
        "a hold source without its query",
        "SELECT 1",
        (Edit(HOLDS, "  till:", "  ledger:"),),
        Expected(
            Check.SOURCE_QUERY_MISSING, HOLDS, "  ledger:", "sources.ledger", "provider/holds/ledger.sql", "write the"
        ),
        Expected(Check.SOURCE_QUERY_MISSING, HOLDS, "  ledger:", "sources.ledger", "ledger_freshness.sql", "write the"),
        Expected(Check.SOURCE_NOT_NAMED, HOLDS, "sources:", "sources", "till.sql is never read", "name the source"),
        Expected(
            Check.SOURCE_NOT_NAMED, HOLDS, "sources:", "sources", "till_freshness.sql is never read", "remove the file"
        ),
    ),
]

TYPES: list[Case] = [
    _case(
        "an event that is no day",
        "SELECT 1",
        Edit(MAP, "event: taken_on", "event: line_no"),
        Expected(
            Check.START_TYPE,
            MAP,
            "event: line_no",
            "datasets.photos.event",
            "an event must be a date or a timestamp",
            "date",
        ),
    ),
    _case(
        "a start that is no day",
        "ALTER TABLE shop.photo ALTER taken_on TYPE text",
        Edit(MAP, "    event: taken_on\n", ""),
        Expected(
            Check.START_TYPE,
            SCHEDULE,
            "{column: taken_on}",
            "rules.photos-90d.start.column",
            "taken_on of shop.photo is of the type text; a start event must be a date or a timestamp",
            "name a date or timestamp column",
        ),
    ),
    _case(
        "a file whose address is no text",
        "SELECT 1",
        Edit(MAP, "files: {url: url}", "files: {url: line_no}"),
        Expected(
            Check.URL_TYPE,
            MAP,
            "files: {url: line_no}",
            "datasets.photos.files.url",
            "of the type integer",
            "fsspec address",
        ),
    ),
    _case(
        "a subject that can be written in several ways",
        "SELECT 1",
        Edit(MAP, "subject: {column: customer_no}\n    event", "subject: {column: bought_at}\n    event"),
        Expected(
            Check.SUBJECT_TYPE,
            MAP,
            "subject: {column: bought_at}",
            "datasets.purchases.subject",
            "timestamp with time zone, which can be written in several ways",
            "integer, text or uuid",
        ),
    ),
    _case(
        "two kinds of subject",
        "SELECT 1",
        Edit(MAP, "{through: {columns: [purchase_id, line_no], dataset: items}}", "{column: line_no}"),
        Expected(
            Check.SUBJECT_TYPE,
            MAP,
            "subject: {column: line_no}",
            "datasets.photos.subject",
            "of the type integer; the first dataset names its subjects by text",
            "go `through`",
        ),
    ),
    _case(
        "a way to the subject by other types",
        "ALTER TABLE shop.photo DROP CONSTRAINT photo_purchase_id_line_no_fkey;"
        "ALTER TABLE shop.photo ALTER line_no TYPE text",
        (),
        Expected(
            Check.LINK_TYPE,
            MAP,
            "columns: [purchase_id, line_no], dataset: items",
            "datasets.photos.subject.through.columns",
            "line_no of shop.photo is of the type text, line_no of shop.item, which it refers to, of the type integer",
            "in the order of that key",
        ),
    ),
    _case(
        "a start linked by other types",
        "SELECT 1",
        Edit(SCHEDULE, "link: path, column: bought_at", "link: key, by: [note], column: bought_at"),
        Expected(
            Check.LINK_TYPE,
            SCHEDULE,
            "by: [note]",
            "rules.items-6y.start.by",
            "note of shop.item is",
            "correct the type",
        ),
    ),
    *(
        _case(
            f"a condition that no row can meet: {value} in {column}",
            "SELECT 1",
            Edit(
                SCHEDULE,
                "    dataset: purchases\n",
                f"    dataset: purchases\n    where: [{{column: {column}, is_in: [{value}]}}]\n",
            ),
            Expected(
                Check.CONDITION_TYPE,
                SCHEDULE,
                "where:",
                "rules.purchases-6y.where.0.is_in",
                f"can never be in {column} of shop.purchase",
                "write values of that type",
            ),
        )
        for value, column in (("web", "purchase_id"), ("1", "channel"), ("true", "channel"))
    ),
    *(
        _case(
            f"{strategy} for text",
            "SELECT 1",
            _strategy(strategy),
            _strategy_found(Check.STRATEGY_TYPE, f"needs {needs}", "that fits the type"),
        )
        for strategy, needs in (
            ("{to: ip_network}", "IP address"),
            ("{to: date, precision: year}", "date or timestamp"),
        )
    ),
    *(
        _case(
            f"{strategy} for a number",
            "ALTER TABLE shop.customer ALTER full_name TYPE integer USING 0",
            _strategy(strategy),
            _strategy_found(Check.STRATEGY_TYPE, "is of the type integer", "that fits the type"),
        )
        for strategy in (
            '{to: constant, value: "gone"}',
            "{to: pseudonym, purpose: statistics}",
            "{to: outward_postcode}",
        )
    ),
    _case(
        "emptying a column that may not be empty",
        "ALTER TABLE shop.customer ALTER full_name SET NOT NULL",
        (),
        _strategy_found(Check.STRATEGY_REFUSED, "the column is NOT NULL", "another strategy"),
    ),
    _case(
        "emptying a column whose domain may not be empty",
        "CREATE DOMAIN shop.name AS text NOT NULL; ALTER TABLE shop.customer ALTER full_name TYPE shop.name",
        (),
        _strategy_found(Check.STRATEGY_REFUSED, "the column is NOT NULL", "another strategy"),
    ),
    _case(
        "changing a generated column",
        "ALTER TABLE shop.customer DROP full_name;"
        "ALTER TABLE shop.customer ADD full_name text GENERATED ALWAYS AS (upper(customer_no)) STORED",
        (),
        _strategy_found(Check.STRATEGY_REFUSED, "the column is generated", "another strategy"),
    ),
    _case(
        "one value where values are unique",
        "ALTER TABLE shop.customer ADD UNIQUE (full_name)",
        _strategy('{to: constant, value: "gone"}'),
        _strategy_found(Check.STRATEGY_REFUSED, "its values are unique", "another strategy"),
    ),
    _case(
        "a value that another table does not have",
        "CREATE TABLE shop.name (name text PRIMARY KEY);"
        "ALTER TABLE shop.customer ADD FOREIGN KEY (full_name) REFERENCES shop.name",
        (_strategy('{to: constant, value: "gone"}'), _exempt("shop.name")),
        _strategy_found(Check.STRATEGY_REFUSED, "it refers to another table", "another strategy"),
    ),
    _case(
        "a pseudonym that does not fit",
        "ALTER TABLE shop.customer ALTER full_name TYPE varchar(20)",
        _strategy("{to: pseudonym, purpose: statistics}"),
        _strategy_found(Check.STRATEGY_REFUSED, "has 35 characters, the column takes 20", "another strategy"),
    ),
    _case(
        "a constant that does not fit a domain",
        "CREATE DOMAIN shop.short AS varchar(3); ALTER TABLE shop.customer ALTER full_name TYPE shop.short",
        _strategy('{to: constant, value: "gone"}'),
        _strategy_found(Check.STRATEGY_REFUSED, "has 4 characters, the column takes 3", "another strategy"),
    ),
]

HAZARDS: list[Case] = [
    *(
        _case(
            f"a child that is {action}",
            "ALTER TABLE shop.photo DROP CONSTRAINT photo_purchase_id_line_no_fkey, ADD CONSTRAINT of_item"
            f" FOREIGN KEY (purchase_id, line_no) REFERENCES shop.item {action}",
            (),
            Expected(
                Check.CHANGES_OTHER_ROWS,
                MAP,
                "table: shop.item",
                "datasets.items.table",
                f"the foreign key of_item of shop.photo is {action}",
                "ON DELETE NO ACTION",
            ),
        )
        for action in ("ON DELETE CASCADE", "ON DELETE SET NULL", "ON DELETE SET DEFAULT")
    ),
    _case(
        "an exempt child that cascades",
        "CREATE TABLE shop.tag (photo_id uuid REFERENCES shop.photo ON DELETE CASCADE)",
        _exempt("shop.tag"),
        Expected(
            Check.CHANGES_OTHER_ROWS,
            MAP,
            "table: shop.photo",
            "datasets.photos.table",
            "of shop.tag is ON DELETE CASCADE",
            "own rule",
        ),
    ),
    _case(
        "a cascade from a schema that nobody watches",
        "CREATE SCHEMA store; CREATE TABLE store.tag (photo_id uuid REFERENCES shop.photo ON DELETE CASCADE)",
        _other_schema("2030-01-01"),
        Expected(
            Check.CHANGES_OTHER_ROWS,
            MAP,
            "table: shop.photo",
            "datasets.photos.table",
            "of store.tag is ON DELETE",
            "own rule",
        ),
    ),
    _case(
        "an exempt child that stays for ever",
        "CREATE TABLE shop.tag (photo_id uuid REFERENCES shop.photo)",
        _exempt("shop.tag"),
        Expected(
            Check.CHILD_NEVER_DELETED,
            MAP,
            "table: shop.photo",
            "datasets.photos.table",
            "rows of shop.tag refer to shop.photo (tag_photo_id_fkey) and no rule deletes them",
            "give shop.tag a rule",
        ),
    ),
    _case(
        "a child that is only anonymised",
        "ALTER TABLE shop.customer ADD first_photo uuid REFERENCES shop.photo",
        (Edit(MAP, "not_personal: [left_on]", "not_personal: [left_on, first_photo]"),),
        Expected(
            Check.CHILD_NEVER_DELETED,
            MAP,
            "table: shop.photo",
            "datasets.photos.table",
            "rows of shop.customer refer to shop.photo",
            "give customers a rule that deletes no later, or anonymise photos instead",
        ),
    ),
    _case(
        "a table that inherits",
        "CREATE TABLE shop.old_photo () INHERITS (shop.photo)",
        _exempt("shop.old_photo"),
        Expected(
            Check.INHERITED,
            MAP,
            "table: shop.photo",
            "datasets.photos.table",
            "shop.old_photo inherits from shop.photo",
            "partitioned",
        ),
    ),
    *(
        _case(
            f"a trigger on {deed}",
            "CREATE FUNCTION shop.nothing() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';"
            f"CREATE TRIGGER quiet {when} ON shop.{table} {level} EXECUTE FUNCTION shop.nothing()",
            (),
            Expected(
                Check.TRIGGER,
                MAP,
                f"table: shop.{table}",
                f"datasets.{dataset}.table",
                f"the trigger quiet acts when a row is {deed}",
                "say so under `triggers: {quiet: ...}`",
            ),
        )
        for deed, when, level, table, dataset in (
            ("deleted", "BEFORE DELETE", "FOR EACH ROW", "photo", "photos"),
            ("deleted", "AFTER INSERT OR DELETE", "FOR EACH STATEMENT", "photo", "photos"),
            ("updated", "BEFORE UPDATE", "FOR EACH ROW", "customer", "customers"),
        )
    ),
    _case(
        "a rewrite rule that swallows deletions",
        "CREATE RULE quiet AS ON DELETE TO shop.photo DO INSTEAD NOTHING",
        (),
        Expected(
            Check.TRIGGER,
            MAP,
            "table: shop.photo",
            "datasets.photos.table",
            "the rule quiet acts when a row is deleted",
            "look at",
        ),
    ),
    _case(
        "an accepted trigger that is not there",
        "SELECT 1",
        Edit(MAP, "table: shop.photo", "table: shop.photo\n    triggers: {loud: Rings a bell at each deletion.}"),
        Expected(
            Check.TRIGGER, MAP, "loud", "datasets.photos.triggers.loud", "no trigger or rewrite rule loud", "remove"
        ),
    ),
    _case(
        "a partition on another server",
        "CREATE FOREIGN DATA WRAPPER w; CREATE SERVER s FOREIGN DATA WRAPPER w; DROP TABLE shop.photo;"
        "CREATE TABLE shop.photo (photo_id uuid, purchase_id bigint, line_no integer, taken_on date, url text)"
        " PARTITION BY LIST (line_no);"
        "CREATE FOREIGN TABLE shop.photo_far PARTITION OF shop.photo FOR VALUES IN (1) SERVER s",
        (),
        Expected(Check.NO_PRIMARY_KEY, MAP, "key: [photo_id]", "datasets.photos.key", "no primary key", "add"),
        Expected(Check.NOT_A_TABLE, MAP, "table: shop.photo", "datasets.photos.table", "1 partitions of", "bring them"),
    ),
]

CASES = [*COVERAGE, *TYPES, *HAZARDS]

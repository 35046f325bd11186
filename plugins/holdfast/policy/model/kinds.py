"""The kinds of value that a policy's documents are written in: codes, names of tables, sentences, periods, days."""

from __future__ import annotations

import datetime as dt
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

from holdfast.clock import Period
from holdfast.settings import CONNECTION

CODE = r"^[a-z][a-z0-9_-]{1,62}$"
HOLD_CODE = r"^[A-Z][A-Z0-9_]{1,62}$"
ISO_PERIOD = r"^P(?=\d)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?$"
LOG_IN = r"^[A-Za-z0-9][A-Za-z0-9._@-]{0,119}$"
TABLE = r"^[A-Za-z_][A-Za-z0-9_$]*\.[A-Za-z_][A-Za-z0-9_$]*$"


def _no_number(text: str) -> str:
    """The ledger takes nine digits in a row for a telephone number, and what a policy names is entered there."""
    if re.search(r"[0-9]{9}", text):
        raise PydanticCustomError("number", "'{name}' has nine digits in a row, as a number has", {"name": text})
    return text


Code = Annotated[str, Field(pattern=CODE), AfterValidator(_no_number)]


def _free(name: str) -> str:
    """Airflow's connection `holdfast_<name>` must not be one that means something else."""
    if name in ("holdfast", "airflow", "alerts", "emergency_outbox", "recipients", "pages") or name.endswith("_pages"):
        raise PydanticCustomError("reserved", "'{name}' is the name of another connection", {"name": name})
    return name


ConnectionName = Annotated[str, Field(pattern=CONNECTION), AfterValidator(_no_number), AfterValidator(_free)]
HoldCode = Annotated[str, Field(pattern=HOLD_CODE), AfterValidator(_no_number)]
LogIn = Annotated[str, Field(pattern=LOG_IN)]
TableName = Annotated[str, Field(pattern=TABLE)]
Sentence = Annotated[str, Field(min_length=10)]


def _iso_period(text: str) -> str:
    Period.parse(text)
    return text


def _month_and_day(text: str) -> str:
    found = re.match(r"^(\d{2})-(\d{2})$", text)
    if found is None:
        raise ValueError(f"{text!r} is not a month and day such as 03-31")
    dt.date(2000, int(found.group(1)), int(found.group(2)))
    return text


IsoPeriod = Annotated[
    str,
    AfterValidator(_iso_period),
    Field(json_schema_extra={"pattern": ISO_PERIOD, "examples": ["P6Y", "P12M", "P90D"]}),
]
MonthDay = Annotated[
    str, AfterValidator(_month_and_day), Field(json_schema_extra={"pattern": r"^\d{2}-\d{2}$", "examples": ["03-31"]})
]


class Strict(BaseModel):
    """Frozen, and refuses a key it does not know: a misspelt key must not be a rule that is silently not applied."""

    model_config = ConfigDict(frozen=True, extra="forbid")

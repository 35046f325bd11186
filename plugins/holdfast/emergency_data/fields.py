"""The words of the rules: the fields of a record, of a header and of a trailer, and the codes that they may hold."""

from __future__ import annotations

FIELDS = (
    "line_no",
    "action",
    "number_e164",
    "national_number",
    "party_type",
    "title",
    "forename",
    "name",
    "bus_suffix",
    "sub_premises",
    "premises",
    "thoroughfare",
    "locality",
    "post_town",
    "postcode",
    "uprn",
    "country",
    "service_type",
    "location_independent",
    "address_source",
    "address_verified_at",
    "effective_from",
    "account_ref",
    "version_no",
)
DATE_FIELDS = frozenset({"address_verified_at", "effective_from"})
"""For the rules, days are written YYYY-MM-DD."""
HEADER_FIELDS = frozenset(
    {"profile_version", "provider", "sequence", "extract_type", "business_date", "generated_at", "previous_sequence"}
)
TRAILER_FIELDS = frozenset({"records", "inserts", "amends", "ceases", "checksum", "control_total"})
CODES = {
    "action": ("I", "A", "C"),
    "party_type": ("I", "B"),
    "country": ("ENG", "WLS", "SCT", "NIR"),
    "service_type": ("FIXED", "VOIP_FIXED", "VOIP_NOMADIC", "MOBILE"),
    "location_independent": ("Y", "N"),
    "address_source": ("INSTALL", "SELF_DECLARED", "BILLING"),
    "extract_type": ("FULL", "DELTA"),
}
"""What the rules know; a layout's `values` turn a file's own codes into these."""

KINDS = {
    **dict.fromkeys(("business_date", *sorted(DATE_FIELDS)), "date"),
    "generated_at": "timestamp",
    **dict.fromkeys(("sequence", "previous_sequence", *sorted(TRAILER_FIELDS - {"checksum"})), "number"),
}
"""Fields that are reckoned with; all others are text, or what their layout says."""

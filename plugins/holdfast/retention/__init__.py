"""Nightly retention: what is past its period goes, unless a hold keeps it; and both are proven."""

"""Holds: who may stop a deletion, is that source alive, and what therefore happens to a record."""

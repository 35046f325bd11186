"""Deletion requests: taken in, watched by the clock, decided dataset by dataset each night, and followed to their end."""

"""Deletion requests: taken in, watched by the clock, decided dataset by dataset each night, followed to their end."""

"""One writer for each format of a report. Nothing here knows what a report is about."""

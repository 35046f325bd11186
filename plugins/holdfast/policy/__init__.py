"""The policy: what is kept how long, on what law, and who may stop a deletion."""

"""What is due, as SQL over the provider's tables: the one place where statements are built and not read from a file.

Plan, execution and verification all use the expressions built here, so they cannot disagree. Names come from the
policy through the catalogue, values are always bound. It must never look at a clock: the day and the moment up to
which releases count are given.
"""

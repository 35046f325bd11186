"""Facts about nobody, taken from a provider's suspensions and reviews; what all statistics of them are made from.

Apart from the job that computes statistics, because whatever erases a provider's rows takes their facts first.
"""

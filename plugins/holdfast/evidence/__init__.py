"""Evidence without personal data: the ledger, the seals over it, and the means to prove that neither was altered."""

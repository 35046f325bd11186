"""The one engine that deletes: plan, enforce in bounded transactions, verify. Jobs decide what is due, and when."""

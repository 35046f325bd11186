"""Monthly statistics of automated suspensions and their reviews: computed from facts, frozen, restated, published."""

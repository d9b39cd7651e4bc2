"""`iyu metrics`: what Prometheus reads, from the ledger, the broker and the database."""

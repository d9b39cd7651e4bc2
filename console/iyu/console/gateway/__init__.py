"""The gateway: reviews in and results out over HTTP, with the ledger's guarantee."""

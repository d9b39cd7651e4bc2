"""Reviews from a table of another system: what changed there is handed over or erased here."""

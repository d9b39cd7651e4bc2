"""The contract every room shares: message, tables, views, ledger, settings, errors."""

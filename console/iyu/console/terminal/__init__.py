"""What commands share on a terminal: options, JSON, tables, progress, colours, quiet imports."""

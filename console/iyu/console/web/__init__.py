"""The read-only web page over the database: `iyu web`, and `iyu report` from the same templates."""

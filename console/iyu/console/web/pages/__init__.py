"""One page a file: from filters to what its template, its JSON and its CSV show."""

"""Every query of the page: a plain function on a connection a question, rows and SQL back."""

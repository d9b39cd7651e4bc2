"""Networks, and the artifacts they are stored in."""

"""`iyu demo`: a file of reviews scored end to end, and shown."""

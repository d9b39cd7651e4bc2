"""Progress, colours and quiet start-up on a terminal."""

"""`iyu verify`: stored rows against each other, and against what the model says of their texts."""

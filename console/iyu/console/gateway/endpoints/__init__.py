"""One address of the gateway a file."""

"""What make demo runs and shows."""

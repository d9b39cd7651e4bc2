"""The behaviour test: Korean sentences whose reading is not open to doubt, by capability."""

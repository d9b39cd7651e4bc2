"""Why a review got its score: one attribution method a file, all from one compiled pass."""

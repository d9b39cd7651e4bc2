"""`iyu drift`: whether reviews, scores and reasons are still what they were."""

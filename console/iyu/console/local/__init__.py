"""Redis, worker and sweeper on one machine, for iyu up."""

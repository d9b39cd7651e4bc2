"""What arrives from Redis, checked before Celery reads it."""

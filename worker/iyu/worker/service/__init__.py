"""The Celery worker and its sweeps: started, watched and stopped."""

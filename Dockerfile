FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    TF_CPP_MIN_LOG_LEVEL=2

WORKDIR /opt/iyu
# Names and versions only; the index is whatever the building machine uses.
COPY constraints.txt pyproject.toml README.md LICENSE ./
COPY schemas schemas
COPY producer producer
COPY worker worker
COPY console console
RUN pip install --constraint constraints.txt ".[worker]" \
    && useradd --system --create-home --home-dir /var/lib/iyu --uid 10001 iyu

USER iyu
WORKDIR /var/lib/iyu
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s CMD ["iyu", "health"]
# Python's process is PID 1 and gets SIGTERM itself: the worker finishes what it holds.
ENTRYPOINT ["iyu"]
CMD ["worker"]

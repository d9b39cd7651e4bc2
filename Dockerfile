FROM python:3.12-slim

ENV PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    PIP_NO_CACHE_DIR=1 \
    TF_CPP_MIN_LOG_LEVEL=2 \
    # Where a probe finds heartbeats without starting Python: .heartbeat, .ready and .beat.
    IYU_HEARTBEAT_FILE=/tmp/iyu.heartbeat \
    IYU_COMPILE_CACHE=/tmp/iyu.compiled

# The image comes without the standard library compiled, and nobody may write into it later.
RUN python -m compileall -q -j 0 -x site-packages \
      "$(python -c 'import sysconfig; print(sysconfig.get_path("stdlib"))')"

WORKDIR /opt/iyu
# Dependencies first: a changed line of code costs none of this. Names and versions only; the index
# is whatever the building machine uses. TensorFlow's headers and clang are for building with it.
COPY constraints.txt pyproject.toml ./
RUN pip install --constraint constraints.txt uv \
    && uv pip install --system --no-cache --compile-bytecode --constraint constraints.txt \
      --requirements pyproject.toml --extra worker --extra metrics --extra parquet --extra web --extra webhooks \
    && packages="$(python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
    && rm -rf "$packages/tensorflow/include" "$packages/clang" \
    && pip uninstall --yes uv \
    && useradd --system --create-home --home-dir /var/lib/iyu --uid 10001 iyu

COPY README.md LICENSE ./
COPY schemas schemas
COPY producer producer
COPY worker worker
COPY console console
RUN pip install --no-deps .

# A number: Kubernetes cannot tell of a name that it is not root.
USER 10001:10001
WORKDIR /var/lib/iyu
HEALTHCHECK --interval=30s --timeout=15s --start-period=60s CMD ["iyu", "health"]
# Python's process is PID 1 and gets SIGTERM itself: the worker finishes what it holds.
ENTRYPOINT ["iyu"]
CMD ["worker"]

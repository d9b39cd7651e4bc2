"""What was measured, and on what: printed above every table."""

import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

_NAMED: Final = (
    "celery",
    "kombu",
    "redis",
    "sqlalchemy",
    "psycopg",
    "tensorflow-cpu",
    "konlpy",
    "mecab-ko",
    "orjson",
)


def describe() -> dict[str, Any]:
    """Return processor, cores, memory (GiB), load a minute ago, and versions."""
    import psutil

    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "load_1_min": round(os.getloadavg()[0], 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "sqlite": _sqlite(),
        "packages": {name: found for name in _NAMED if (found := _version(name))},
    }


def _processor() -> str:
    info = Path("/proc/cpuinfo")
    if info.exists():
        for line in info.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or "unknown"


def _sqlite() -> str:
    import sqlite3

    return sqlite3.sqlite_version


def _version(name: str) -> str | None:
    try:
        return version(name)
    except PackageNotFoundError:
        return None

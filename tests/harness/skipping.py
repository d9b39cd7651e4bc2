"""What a test does without a service; for tests alone, benchmarks do not import pytest."""

import os
from typing import NoReturn

import pytest


def skip_without(service: str) -> NoReturn:
    """Skip a test on a developer's machine, and fail it in CI."""
    if os.environ.get("CI") == "true":
        pytest.fail(f"{service} is missing, and CI has to test against it", pytrace=False)
    pytest.skip(f"{service} is missing")

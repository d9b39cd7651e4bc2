"""The command line, its clock an hour ahead: python -m tests.harness.fast_clock COMMAND."""

from datetime import datetime, timedelta

from iyu.schemas.contract import review

_right = review.utc_now


def _fast() -> datetime:
    return _right() + timedelta(hours=1)


review.utc_now = _fast

# After the clock: each module takes its own name for it.
from iyu.console.main import main  # noqa: E402

if __name__ == "__main__":
    main()

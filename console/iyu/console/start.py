"""Where the command `iyu` begins: it hears TERM before anything heavy is imported.

As the first process of a container it has no signal handlers but its own. Until Celery has set
its own, half a second to several, TERM would be ignored, and a stop waits for its whole grace
period, to end with KILL.
"""

import os
import signal
from typing import Final, NoReturn

#: The exit code of a process that TERM has ended, as shells and containers report it.
TERMINATED: Final = 128 + signal.SIGTERM


def _stop(_number: int, _frame: object) -> NoReturn:
    # Nothing has been begun yet, so there is nothing to finish.
    os._exit(TERMINATED)


if os.getpid() == 1:  # everybody else ends by default
    signal.signal(signal.SIGTERM, _stop)


def main() -> None:
    """Run the command line."""
    from iyu.console.main import main as run

    run()

"""How many cores this process may use: of the machine, its affinity and its control group."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_CGROUPS: Final = Path("/sys/fs/cgroup")
_OWN_CGROUP: Final = Path("/proc/self/cgroup")


def available_cores(own_cgroup: Path = _OWN_CGROUP, cgroups: Path = _CGROUPS) -> int:
    """Return the smallest of all limits, whole cores, at least one.

    A container's quota and `taskset` do not change `os.cpu_count()`.
    """
    allowed = (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    return max(1, min([allowed, *_quotas(own_cgroup, cgroups)]))


def _quotas(own_cgroup: Path, cgroups: Path) -> Iterator[int]:
    """Give the whole cores of each quota, of the process's group (version 2) and of those above."""
    try:
        # "0::/a/b" for version 2; within a container usually "0::/".
        group = own_cgroup.read_text().rpartition("0::/")[2].strip()
    except OSError:  # not Linux
        return
    folder = cgroups / group
    for above in (folder, *folder.parents):
        if not above.is_relative_to(cgroups):
            return
        try:
            quota, period = (above / "cpu.max").read_text().split()
        except (OSError, ValueError):  # the root group has no such file
            continue
        if quota != "max":
            yield int(quota) // int(period)

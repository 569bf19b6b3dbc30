"""The number of cores that this process may use."""

import os
from pathlib import Path

# The limit of a container with cgroup v2: microseconds of work within so many, or "max".
CPU_LIMIT = Path("/sys/fs/cgroup/cpu.max")


def usable_cores(limit: Path = CPU_LIMIT) -> int:
    """Return the number of the machine's cores, or of the container's if it is limited to fewer.

    Part of a core does not count, but there is at least one.
    """
    cores = os.cpu_count() or 1
    try:
        work, within = limit.read_text(encoding="ascii").split()
        return min(cores, max(1, int(work) // int(within)))
    except (OSError, ValueError):  # not in a container, or without a limit
        return cores

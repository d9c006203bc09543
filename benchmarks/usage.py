"""CPU time and memory of a process and its children, from /proc. Shared pages count in parts (PSS)."""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Usage:
    cpu_s: float
    memory_mb: float

    def __add__(self, other: "Usage") -> "Usage":
        return Usage(self.cpu_s + other.cpu_s, self.memory_mb + other.memory_mb)

    def __sub__(self, other: "Usage") -> "Usage":
        """What was used since; memory is what is held now."""
        return Usage(self.cpu_s - other.cpu_s, self.memory_mb)


def measure(*pids: int) -> Usage:
    """The usage of these processes with all their descendants, as far as they still live."""
    total = Usage(0.0, 0.0)
    for one in {one for pid in pids for one in _family(pid)}:
        try:
            total += _of_one(one)
        except OSError:
            continue
    return total


def _family(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [pid, *(one for child in children for one in _family(int(child)))]


def _of_one(pid: int) -> Usage:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    ticks = int(fields[11]) + int(fields[12])
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    pss_kb = next(int(line.split()[1]) for line in lines if line.startswith("Pss:"))
    return Usage(ticks / os.sysconf("SC_CLK_TCK"), pss_kb / 1024)

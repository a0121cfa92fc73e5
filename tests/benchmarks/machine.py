"""How busy the machine was during the measurements, and how fast its processors ran."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import mean
from typing import Any

STEAL = 7
"""The field of ``/proc/stat`` for the time that a virtual machine waited for its host (proc_stat(5))."""


@dataclass(frozen=True, slots=True)
class Clock:
    """The state of the machine at one moment.

    Attributes:
        load: the load average of the last minute.
        ticks: the processors' time since boot by kind, as in ``/proc/stat``; empty where there is none.
    """

    load: float
    ticks: tuple[int, ...]

    @classmethod
    def now(cls) -> "Clock":
        """Return the present state."""
        try:
            first = Path("/proc/stat").read_text().partition("\n")[0]
        except OSError:
            first = ""
        return cls(os.getloadavg()[0], tuple(map(int, first.split()[1:])))

    def until(self, later: "Clock") -> dict[str, Any]:
        """Return the load before, the share of stolen time in percent, and the frequency in MHz."""
        spent = [after - before for before, after in zip(self.ticks, later.ticks, strict=True)]
        steal = 100 * spent[STEAL] / sum(spent) if sum(spent) else None
        return {"load before": self.load, "steal": steal, "MHz": frequency()}


def frequency() -> float | None:
    """Return the mean frequency of the processors in MHz while they work, if the system shows it."""
    until = time.perf_counter() + 0.05
    while time.perf_counter() < until:
        pass
    try:
        text = Path("/proc/cpuinfo").read_text()
    except OSError:
        return None
    found = re.findall(r"^cpu MHz\s*:\s*([\d.]+)", text, re.MULTILINE)
    return mean(map(float, found)) if found else None


def as_sentence(machine: dict[str, Any]) -> str:
    """Return these facts as a sentence."""
    facts = [f"the load average before was {machine['load before']:.1f}"]
    if machine["steal"] is not None:
        facts.append(f"{machine['steal']:.1f} % of the processors' time went to other virtual machines")
    if machine["MHz"] is not None:
        facts.append(f"the processors ran at {machine['MHz']:,.0f} MHz")
    return f"{'; '.join(facts)}."

"""The stable ABIs of CPython: wheels for one of them run on later Pythons too.

``abi3`` (PEP 384) is for builds with a GIL, ``abi3t`` (PEP 803) for free-threaded ones, and ``abi2026``
(PEP 809, a draft) for both. A wheel for several names all of them: ``cp315-abi3.abi3t-win_amd64``.
"""

import re
from dataclasses import dataclass

CPYTHON = re.compile(r"cp3(\d+)")
FREE_THREADED = re.compile(r"(cp3\d+|abi3)t")
"""ABI tags that only free-threaded Pythons have."""


@dataclass(frozen=True, slots=True)
class StableABI:
    """Which builds of CPython load an extension for a stable ABI."""

    with_gil: bool
    free_threaded: bool


STABLE_ABIS = {
    "abi3": StableABI(with_gil=True, free_threaded=False),
    "abi3t": StableABI(with_gil=False, free_threaded=True),
    "abi2026": StableABI(with_gil=True, free_threaded=True),
}


def is_free_threaded(abi: str) -> bool:
    """Whether an ABI, or a pattern of ABIs, is that of free-threaded Pythons.

    >>> [is_free_threaded(abi) for abi in ("cp313t", "cp313t*", "*t", "cp313", "*")]
    [True, True, True, False, False]
    """
    return re.sub(r"\[(.)\]", r"\1", abi).rstrip("*?").endswith("t")


def runs_on(interpreter: str, abi: str, *, wanted: str, free_threaded: bool) -> bool:
    """Whether a wheel for a stable ABI runs on a CPython.

    Args:
        interpreter: the Python of the wheel's tag.
        abi: the ABI of the wheel's tag.
        wanted: the Python that it should run on, as ``cp313``.
        free_threaded: whether that Python is a free-threaded build.

    >>> runs_on("cp39", "abi3", wanted="cp313", free_threaded=False)
    True
    >>> runs_on("cp39", "abi3", wanted="cp313", free_threaded=True)
    False
    """
    stable = STABLE_ABIS.get(abi)
    built, later = CPYTHON.fullmatch(interpreter), CPYTHON.fullmatch(wanted)
    if stable is None or built is None or later is None or int(later[1]) < int(built[1]):
        return False
    return stable.free_threaded if free_threaded else stable.with_gil

"""The check of a wheel's platform tags: the tables of those that PyPI takes."""

import re
from collections.abc import Iterator

from wheelrelay.checks.check import Check, Profile, Violation, listed
from wheelrelay.checks.contract import FileChecks
from wheelrelay.checks.distribution import Distribution

N = r"\d+"
IPHONE = "(?:iphoneos|iphonesimulator)"
LINUX = "x86_64 i686 aarch64 armv7l ppc64le s390x riscv64"
MACOS = "ppc ppc64 i386 x86_64 arm64 intel fat fat3 fat64 universal universal2"

PLATFORMS = (
    ("any", ""),
    ("win32", ""),
    ("win_{}", "amd64 arm64 ia64"),
    ("manylinux1_{}", "x86_64 i686"),
    ("manylinux2010_{}", "x86_64 i686"),
    ("manylinux2014_{}", "x86_64 i686 aarch64 armv7l ppc64 ppc64le s390x"),
    (f"manylinux_{N}_{N}_{{}}", f"{LINUX} ppc64"),
    (f"musllinux_{N}_{N}_{{}}", LINUX),
    ("linux_{}", "armv6l armv7l"),
    (f"macosx_10_{N}_{{}}", MACOS),
    ("macosx_(11|12|13|14|15|26)_0_{}", MACOS),
    (f"ios_{N}_{N}_{{}}_{IPHONE}(?!.*_{IPHONE}).*", "arm64 x86_64"),
    (f"android_{N}_{{}}", "armeabi_v7a arm64_v8a x86 x86_64"),
    (f"pyemscripten_{N}_{N}_wasm32.*", ""),
)
"""What PyPI takes: a pattern, and the architectures that fill its gap; it does not look at all ends."""

ACCEPTED = re.compile(
    "|".join(pattern.format(f"({archs.replace(' ', '|')})") for pattern, archs in PLATFORMS)
)

PLATFORM_TAG = Check(
    "platform-tag",
    "Every platform tag is one that PyPI takes.",
    hint="Repair the wheel with auditwheel (Linux) or delocate (macOS), or build it for a listed platform.",
    profile=Profile.PYPI,
)


def find(distribution: Distribution) -> Iterator[Violation]:
    """Find platform tags that PyPI does not take."""
    platforms = {tag.platform for tag in distribution.file.tags} if distribution.file else set()
    refused = sorted(platform for platform in platforms if not ACCEPTED.fullmatch(platform))
    if refused:
        yield PLATFORM_TAG.violation(f"PyPI takes no wheels for {listed(refused)}.")


PLATFORM = FileChecks((PLATFORM_TAG,), find)

"""The historic `wheel-uploader`: its command line, as a thin front on the same relay."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `wheel-uploader` and exit with its code.

    Args:
        arguments: in place of those that the process was started with.
    """
    from wheelrelay.cli import run
    from wheelrelay.compat.command import wheel_uploader

    run(wheel_uploader, "wheel-uploader", arguments)

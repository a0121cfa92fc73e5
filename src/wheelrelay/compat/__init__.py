"""The command `wheel-uploader` with its historic options, based on `wheelrelay`."""

from collections.abc import Sequence


def main(arguments: Sequence[str] | None = None) -> None:
    """Run `wheel-uploader` and exit with its exit code.

    Args:
        arguments: the command-line arguments; those of the process by default.
    """
    from wheelrelay.cli import run
    from wheelrelay.compat.command import wheel_uploader

    run(wheel_uploader, "wheel-uploader", arguments)

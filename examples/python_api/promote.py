"""Promote a release from one remote to the next, after approval of the plan.

python promote.py ./staging ./production 'sample==1.0'

Approval is requested once all files are downloaded, verified and checked, and before the first one is
published: on the terminal, or in CI through the variable APPROVED_BY.
"""

import os
import sys

from wheelrelay import Event, FileEnded, Plan, RelayFailed, ReleaseRefused, Route, Step, Waiting, relay


def show(event: Event) -> None:
    """Print each published or failed file, and each retry."""
    match event:
        case FileEnded(step=Step.PUBLISH, filename=filename, error=error):
            print(f"failed: {filename}: {error}" if error else f"published: {filename}", flush=True)
        case Waiting(what=what, error=error, seconds=seconds):
            print(f"retrying {what} in {seconds:.0f} s: {error}", flush=True)


def approve(plan: Plan) -> bool:
    """Print the plan, and return whether it is approved."""
    for planned in plan.files:
        actions = ", ".join(intent.action for intent in planned.sinks.values())
        print(f"{planned.file.filename}: {actions}")
    if approver := os.environ.get("APPROVED_BY"):
        print(f"approved by {approver}")
        return True
    return sys.stdin.isatty() and input("Publish these files? [y/N] ").lower() == "y"


def main(source: str, sink: str, requirement: str) -> None:
    """Promote the version that ``requirement`` selects."""
    route = Route(source=source, sinks=[sink])
    try:
        receipt = relay(route, [requirement], progress=show, approve=approve)
    except ReleaseRefused as refusal:
        sys.exit(f"Nothing was published: {refusal}")
    except RelayFailed as failure:
        sys.exit(f"Run the same command again to complete the release: {failure}")
    print(f"{len(receipt.files)} files are published at {sink}.")


if __name__ == "__main__":
    main(*sys.argv[1:])

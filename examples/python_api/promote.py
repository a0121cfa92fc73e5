"""Promote a release from a staging place to the next one, if somebody says yes to the plan.

python promote.py ./staging ./production 'sample==1.0'

The plan is shown when everything is fetched, verified and checked, and nothing is published yet. A yes on the
terminal, or the variable APPROVED_BY in CI, lets it go on. Each file is told when it has arrived.
"""

import os
import sys

import wheelrelay
from wheelrelay import Event, FileEnded, Step, Waiting


def show(event: Event) -> None:
    """Tell what arrives, and what has to be tried again."""
    match event:
        case FileEnded(step=Step.PUBLISH, filename=filename, error=error):
            print(f"failed: {filename}: {error}" if error else f"published: {filename}", flush=True)
        case Waiting(what=what, error=error, seconds=seconds):
            print(f"once more in {seconds:.0f} s: {what}: {error}", flush=True)


def approve(plan: wheelrelay.Plan) -> bool:
    """Show what would be published, and ask."""
    for planned in plan.files:
        print(
            f"{planned.file.filename}: {', '.join(str(intent.action) for intent in planned.sinks.values())}"
        )
    if approver := os.environ.get("APPROVED_BY"):
        print(f"approved by {approver}")
        return True
    return sys.stdin.isatty() and input("Publish this? [y/N] ").lower() == "y"


def main(source: str, sink: str, requirement: str) -> None:
    """Promote the one version that ``requirement`` names."""
    route = wheelrelay.Route(source=source, sinks=[sink])
    try:
        receipt = wheelrelay.relay(route, [requirement], progress=show, approve=approve)
    except wheelrelay.ReleaseRefused as refusal:
        sys.exit(f"Nothing was published: {refusal}")
    except wheelrelay.RelayFailed as failure:
        sys.exit(f"The same command again completes it: {failure}")
    print(f"{len(receipt.files)} files are in place at {sink}.")


if __name__ == "__main__":
    main(*sys.argv[1:])

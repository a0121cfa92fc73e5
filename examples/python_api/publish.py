"""Publish a release with progress, and handle each kind of failure.

python publish.py ./dist ./wheelhouse 'sample==1.0'

Exits with 0 if all files are published, 3 if the release was refused, 4 if it was published in part, and 1
after any other error. The receipt is written to receipt.json in each case.
"""

import sys

from wheelrelay import (
    Action,
    Event,
    FileEnded,
    Outcome,
    Plan,
    Receipt,
    RelayFailed,
    ReleaseRefused,
    Route,
    Severity,
    Step,
    Waiting,
    WheelrelayError,
    plan,
    relay,
)


def show_plan(planned: Plan) -> None:
    """Print how many files would be uploaded to each sink, and what is wrong already."""
    for sink in planned.sinks:
        print(f"{sink}: {planned.count(sink, Action.UPLOAD)} files to upload")
    for finding in planned.findings:
        print(f"{finding.severity}: {finding.message}")


def show_event(event: Event) -> None:
    """Print each published file and each retry; called from several threads."""
    match event:
        case FileEnded(step=Step.PUBLISH, filename=filename, error=None):
            print(f"published: {filename}")
        case Waiting(what=what, error=error, seconds=seconds):
            print(f"retrying {what} in {seconds:.0f} s: {error}")


def show_receipt(receipt: Receipt) -> None:
    """Print the files that are not published, with the reason."""
    print(f"{receipt.count(Outcome.PUBLISHED)} published, {receipt.count(Outcome.SKIPPED)} skipped")
    for file in receipt.files:
        for sink, delivery in file.sinks.items():
            if not delivery.is_in_place:
                print(f"{file.filename} at {sink}: {delivery.outcome}: {delivery.reason}")


def main(source: str, sink: str, requirement: str) -> int:
    """Publish the files that ``requirement`` selects; return the exit code."""
    route = Route(source=source, sinks=[sink])
    try:
        show_plan(plan(route, [requirement]))
        show_receipt(relay(route, [requirement], progress=show_event, receipt="receipt.json"))
    except ReleaseRefused as refusal:  # nothing was published
        errors = [finding for finding in refusal.findings if finding.severity is Severity.ERROR]
        print(f"refused because of {len(errors)} errors: {refusal.message}", file=sys.stderr)
        return 3
    except RelayFailed as failure:  # running the script again publishes the missing files
        show_receipt(failure.receipt)
        return 4
    except WheelrelayError as error:  # nothing was published
        print(f"{error.message} {error.hint or ''}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))

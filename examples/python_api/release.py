"""Look at the plan of a release before moving it.

python release.py ./dist ./wheelhouse 'sample==1.0'
"""

import sys

import wheelrelay


def main(source: str, sink: str, requirement: str) -> None:
    """Move the files that ``requirement`` names, unless there is nothing to do."""
    route = wheelrelay.Route(source=source, sinks=[sink])
    plan = wheelrelay.plan(route, [requirement])
    for planned in plan.files:
        print(planned.file.filename, planned.sinks[sink].action)
    if not plan.has_work:
        print("Nothing is left to do.")
        return
    receipt = wheelrelay.relay(route, [requirement], receipt="receipt.json")
    print(f"{len(receipt.files)} files are in place.")


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except wheelrelay.ReleaseRefused as refusal:
        for finding in refusal.findings:
            print(finding.message)
        sys.exit(f"Nothing was published: {refusal}")
    except wheelrelay.WheelrelayError as error:  # with a sentence that says what, where, and what to do
        sys.exit(str(error))

"""Report what is published at a place, and whether it is what it says it is, as Markdown.

python report.py ./wheelhouse 'sample==1.0' >> "$GITHUB_STEP_SUMMARY"

Every file is fetched and compared with the digest that is declared for it. Ends with 1 if one is not right.
"""

import sys

import wheelrelay


def main(place: str, *requirements: str) -> None:
    """Report on the files at ``place`` that ``requirements`` mean."""
    wrong = {finding.filename: finding.message for finding in wheelrelay.verify(place, requirements)}
    files = wheelrelay.list_files(place, requirements, with_digests=True)
    print("| file | bytes | sha256 | |\n|---|---:|---|---|")
    for file in files:
        told = wrong.get(file.filename, "as it should be")
        print(f"| {file.filename} | {file.size or ''} | {(file.sha256 or '')[:12]} | {told} |")
    print(f"\n{len(files)} files, {len(wrong)} not as they should be.")
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])

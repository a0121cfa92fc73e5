"""Verify the published files of a release, and write the result as Markdown.

python report.py ./wheelhouse 'sample==1.0' >> "$GITHUB_STEP_SUMMARY"

Every file is downloaded and compared with its declared digest. Exits with 1 if a file fails verification.
"""

import sys

from wheelrelay import list_files, verify


def main(remote: str, *requirements: str) -> None:
    """Report on the files of ``remote`` that ``requirements`` select."""
    problems = {finding.filename: finding.message for finding in verify(remote, requirements)}
    files = list_files(remote, requirements, with_digests=True)
    print("| file | bytes | sha256 | |\n|---|---:|---|---|")
    for file in files:
        result = problems.get(file.filename, "verified")
        print(f"| {file.filename} | {file.size or ''} | {(file.sha256 or '')[:12]} | {result} |")
    print(f"\n{len(files)} files, {len(problems)} failed verification.")
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main(*sys.argv[1:])

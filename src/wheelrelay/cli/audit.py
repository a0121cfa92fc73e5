"""The command ``audit``."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from wheelrelay.cli.ci.current import reporter
from wheelrelay.cli.exits import ExitCode
from wheelrelay.cli.options import (
    common_options,
    complete_file,
    complete_remote,
    complete_route_or_remote,
    config_option,
    jobs_option,
    json_option,
    load_config,
    quiet_option,
    timeout_option,
)
from wheelrelay.cli.output import print_json, relay_progress

if TYPE_CHECKING:
    from wheelrelay.api.audits import Earlier
    from wheelrelay.config import Config, Remote
    from wheelrelay.reports import AuditReport


@click.command()
@click.argument(
    "words",
    nargs=-1,
    required=True,
    metavar="REMOTE|ROUTE [PROJECT]...",
    shell_complete=complete_route_or_remote,
)
@click.option(
    "--requirements",
    metavar="FILE",
    multiple=True,
    shell_complete=complete_file,
    help="Audit the projects of a requirements file or a lock file; may be repeated.",
)
@click.option(
    "--against",
    metavar="REMOTE",
    shell_complete=complete_remote,
    help="Compare the digests with those of another index.",
)
@click.option(
    "--since",
    metavar="FILE",
    shell_complete=complete_file,
    help="An earlier audit (JSON) or a receipt: report files that have vanished or changed since then.",
)
@click.option("--releases", default=10, show_default=True, help="How many releases of each project to audit.")
@click.option("--html", "html_path", metavar="FILE", shell_complete=complete_file, help="Write an HTML page.")
@jobs_option
@json_option
@quiet_option
@timeout_option
@config_option
@common_options
def audit(  # one parameter for each option
    words: tuple[str, ...],
    requirements: tuple[str, ...],
    against: str | None,
    since: str | None,
    releases: int,
    html_path: str | None,
    jobs: int | None,
    as_json: bool,
    quiet: bool,
    config_path: str | None,
) -> int:
    """Find what is wrong with published releases of many projects.

    Reports releases that lack wheels which the releases before and after them have, yanked files, and files
    without attestations where the release before had them. With --against, also files with other digests
    there; with --since, files that have vanished or changed. Reads only the pages of the projects. Exits with
    3 if there are errors; warnings alone are success.

    A ROUTE is audited at its last sink. Without a PROJECT, the projects of the route or all projects of the
    remote are audited.

    \b
    Examples:
      wheelrelay audit pypi numpy scipy pandas
      wheelrelay audit pypi --requirements requirements.txt --html audit.html
      wheelrelay audit ./mirror --against pypi --since last-week.json --json > today.json
    """
    from wheelrelay import api
    from wheelrelay.report_documents import audit_document

    config = load_config(config_path)
    remote, projects = _target(config, words[0])
    names = [*words[1:], *_listed(requirements)] or projects
    with relay_progress(quiet=quiet) as progress:
        report = api.audit(
            remote,
            names,
            against=None if against is None else config.remote(against),
            earlier=None if since is None else _earlier(since),
            releases=releases,
            jobs=jobs,
            progress=progress,
        )
    if html_path is not None:
        from wheelrelay.cli.render.audit_page import audit_html
        from wheelrelay.disk.writing import replace_file

        replace_file(Path(html_path), audit_html(report))
    if as_json:
        print_json(audit_document(report))
    elif not (quiet and not report.issues):
        _print(report)
    _report_to_ci(report)
    return int(ExitCode.REFUSED if report.has_errors else ExitCode.SUCCESS)


def _target(config: "Config", name: str) -> "tuple[Remote, Sequence[str]]":
    """Return the remote that the first word names, and the projects of a route."""
    from wheelrelay.config import as_remote

    if name not in config.route_names():
        return config.remote(name), ()
    route = config.route(name)
    return as_remote(route.sinks[-1]), route.selection().projects()


def _listed(paths: Sequence[str]) -> Iterator[str]:
    """Yield the projects of requirements files and lock files."""
    from wheelrelay.lock_files import Lock, read_lock, read_requirements

    for path in map(Path, paths):
        if path.suffix in (".toml", ".lock"):
            yield from read_lock(path).projects()
            continue
        read = read_requirements(path)
        yield from read.projects() if isinstance(read, Lock) else [required.name for required in read]


def _earlier(path: str) -> "Earlier":
    """Read an earlier audit, or a receipt."""
    import json

    from wheelrelay.config.files import read_text
    from wheelrelay.documents import parse_receipt
    from wheelrelay.report_documents import parse_audit

    text = read_text(Path(path))
    try:
        document = json.loads(text)
    except ValueError:
        document = None
    is_receipt = isinstance(document, dict) and "sinks" in document
    return parse_receipt(text) if is_receipt else parse_audit(text)


def _print(report: "AuditReport") -> None:
    from wheelrelay.cli.render.console import console
    from wheelrelay.cli.render.reports import audit_table

    console().print(audit_table(report))


def _report_to_ci(report: "AuditReport") -> None:
    from wheelrelay.cli.render.reports import audit_markdown

    reporter().summary(audit_markdown(report))

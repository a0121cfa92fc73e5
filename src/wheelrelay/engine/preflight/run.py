"""Run all checks of a preflight: for each sink those of the sink, and those of each project."""

from collections.abc import Iterator
from functools import partial

from wheelrelay.engine.context import ConnectedSink, Runtime, running
from wheelrelay.engine.preflight.access import (
    ATTESTATIONS,
    CLOCK,
    CREDENTIALS,
    SIGNATURES,
    WRITABLE,
    check_attestations,
    check_clock,
    check_credentials,
    check_signatures,
    check_writable,
)
from wheelrelay.engine.preflight.projects import NAME, PROJECT, check_name, check_project, read_project
from wheelrelay.engine.preflight.releases import VERSION, check_rules, check_version
from wheelrelay.engine.preflight.subject import HeldProject, PreflightRequest, failed_by, results_of
from wheelrelay.errors import WheelrelayError
from wheelrelay.reports import PreflightItem, Verdict


def preflight(request: PreflightRequest) -> list[PreflightItem]:
    """Return the results of all checks of the sinks, in their order.

    An error ends one check only. Nothing is uploaded, and tokens are given back when the sinks are closed.

    Args:
        request: The projects and the connected remotes.
    """
    with running(request.options) as runtime:
        return [item for sink in request.sinks for item in _results(sink, request, runtime)]


def _results(sink: ConnectedSink, request: PreflightRequest, runtime: Runtime) -> Iterator[PreflightItem]:
    held: list[HeldProject] = []
    for target in request.targets:
        try:
            subject = f"{target.project} at {sink.name}"
            held.append(runtime.retrier.call(subject, partial(read_project, sink, target)))
        except WheelrelayError as error:
            yield failed_by(error, PROJECT, sink.name, target.project)
    credentials = list(results_of(partial(check_credentials, sink, held), CREDENTIALS, sink.name, runtime))
    yield from credentials
    has_credentials = any(item.verdict is Verdict.PASS for item in credentials)
    attestations = partial(check_attestations, sink, has_credentials=has_credentials)
    yield from results_of(attestations, ATTESTATIONS, sink.name, runtime)
    yield from results_of(partial(check_writable, sink), WRITABLE, sink.name, runtime)
    yield from results_of(partial(check_signatures, sink, request.options), SIGNATURES, sink.name, runtime)
    yield from results_of(partial(check_clock, sink), CLOCK, sink.name, runtime)
    for project in held:
        yield check_project(project)
        yield from results_of(partial(check_name, project), NAME, sink.name, runtime)
        version = partial(check_version, project, request.staged, request.expected)
        yield from results_of(version, VERSION, sink.name, runtime)
        yield from check_rules(project)

"""Plan, relay, push and verify releases."""

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

from wheelrelay.api.connecting import connected_route, opened_source, sinks_of, versions_of
from wheelrelay.api.options import DEFAULT_OPTIONS, PublishOptions
from wheelrelay.api.outputs import Outputs, ReceiptWriter, refuse_inputs_of, write_sums
from wheelrelay.api.reading import Requirements
from wheelrelay.api.selecting import ShardLike, refuse_divided_release, selection_of
from wheelrelay.backends.local.paths import Pathlike, find_paths
from wheelrelay.checks import Profile
from wheelrelay.ci import current_build
from wheelrelay.config import EngineLike, Remote, RemoteLike, Route, as_remote
from wheelrelay.disk.writing import ensure_writable
from wheelrelay.engine import run
from wheelrelay.engine.context import RelayOptions, RelayRequest, running
from wheelrelay.engine.gate import refuse
from wheelrelay.engine.planned_coverage import with_coverage
from wheelrelay.engine.planning import plan_relay
from wheelrelay.engine.reading_files import LocalReader, ReadFiles
from wheelrelay.engine.recording import NO_VERSIONS, ReceiptRecorder
from wheelrelay.engine.verified_files import VerifiedFiles
from wheelrelay.engine.verifying import verify_remote, verify_sinks
from wheelrelay.errors import ConfigError, RelayFailed, ReleaseRefused, WheelrelayError
from wheelrelay.events import Progress, ignore_events
from wheelrelay.model import Mode, Shard
from wheelrelay.records import Finding, Plan, Receipt
from wheelrelay.select import Selection
from wheelrelay.transfer.staging_area import temporary_staging_area


def plan(
    route: Route,
    requirements: Requirements = (),
    *,
    selection: Selection | None = None,
    shard: ShardLike | None = None,
    jobs: int | None = None,
) -> Plan:
    """Return what `relay` would do with each file, without writing anything.

    Args:
        route: The source and the sinks. `Config.route` returns a configured one.
        requirements: Projects and versions to plan, instead of the route's ``projects``.
        selection: Which files to plan, instead of ``requirements`` and the keys of the route: for example
            ``route.selection().within(projects)``, or ``Selection(files=...)`` for exactly these files.
        shard: Number, from 1, and count, such as ``(1, 4)``: plan only the projects of this part, in mode
            ``mirror``.
        jobs: How many sinks to read in parallel. [default: adaptive]

    Raises:
        NothingMatched: No file matches. The hint lists the did_you_mean names.
        SeveralVersions: A project matches several versions; a release contains one.
        ConfigError: A remote or a requirement is wrong.
        BackendError: A remote fails.
    """
    options = RelayOptions(_checked_jobs(jobs))
    is_release = route.mode is Mode.RELEASE
    chosen = selection_of(route, requirements, selection, shard)
    refuse_divided_release(route, chosen)
    with (
        connected_route(route, chosen, options, is_plan=True) as request,
        running(options) as runtime,
    ):
        planned = plan_relay(request, runtime, one_version=is_release, is_mirror=not is_release)
        if not is_release:
            return planned.plan
        return with_coverage(planned.plan, request.source.source, request.sinks, planned.inventories)


def relay(
    route: Route,
    requirements: Requirements = (),
    *,
    selection: Selection | None = None,
    shard: ShardLike | None = None,
    jobs: int | None = None,
    progress: Progress = ignore_events,
    approve: Callable[[Plan], bool] | None = None,
    receipt: Pathlike | None = None,
    sums: Pathlike | None = None,
    options: PublishOptions = DEFAULT_OPTIONS,
    engine: EngineLike | None = None,
) -> Receipt:
    """Publish the files of a route's source to its sinks.

    In mode ``release``, every file is downloaded, verified and checked before the first byte is published.
    In mode ``mirror``, each file is published on its own. Files that a sink holds already are skipped.

    Args:
        route: The source and the sinks. `Config.route` returns a configured one.
        requirements: Projects and versions to relay, instead of the route's ``projects``.
        selection: Which files to relay, instead of ``requirements`` and the keys of the route: for example
            ``route.selection().within(projects)``, or ``Selection(files=...)`` for exactly these files.
        shard: Number, from 1, and count, such as ``(1, 4)``: relay only the projects of this part, in mode
            ``mirror``. Every project is in one part, the same on all machines.
        jobs: How many files to transfer in parallel. [default: adaptive]
        progress: Called with each event (`Event`), possibly from several threads.
        approve: Called once with the plan, before any file is downloaded. If it returns false, nothing is
            published. Files that pass its approval can still be refused by the checks.
        receipt: File for the receipt. It is updated during the relay, and kept if the relay fails.
        sums: File for the sha256 of every file, in the format of ``sha256sum``.
        options: What to replace, how to sign, how long to wait for confirmation.
        engine: The workers that move the files, possibly on other machines: a configuration, such as that
            of `Config.engine`, or a connected engine. This process plans, decides what is published, and
            writes index pages. [default: this process does all]

    Raises:
        ReleaseRefused: A file is missing, unexpected, in conflict or fails a check; nothing was published.
        RelayFailed: Publishing started and did not complete. Calling `relay` again completes it.
        EngineFailed: The engine has no workers, or cannot be reached; nothing was published.
        WheelrelayError: Any other failure; nothing was published.
    """
    chosen = selection_of(route, requirements, selection, shard)
    refuse_divided_release(route, chosen)
    if sums is not None:
        ensure_writable(Path(os.fspath(sums)))
    engine_options = replace(
        _engine_options(options, jobs, progress),
        approve=approve or (lambda _: True),
        wait=route.wait.total_seconds(),
        order=route.order,
    )
    connect = partial(
        connected_route,
        route.model_copy(update={"resolve": True}) if options.resolve else route,
        chosen,
        engine_options,
        sign=options.sign,
        confirm_timeout=options.confirm_timeout,
    )
    outputs = {"receipt": receipt, "list of sums": sums}
    versions: Mapping[str, str] = NO_VERSIONS
    move: Callable[[RelayRequest, ReceiptRecorder], Receipt]
    if engine is None:
        move = run.mirror if route.mode is Mode.MIRROR else run.release
    else:
        from wheelrelay.api.coordination import relay_on, versions_of_engine

        move, versions = relay_on(engine, route, options), versions_of_engine(engine)
    result = _moved(connect, move, route, outputs, shard=chosen.shard, versions=versions)
    if sums is not None:
        write_sums(Path(os.fspath(sums)), result)
    return result


def push(
    paths: Sequence[Pathlike],
    to: RemoteLike,
    *,
    build: Mapping[str, str] | None = None,
    profile: Profile | str | None = None,
    jobs: int | None = None,
    progress: Progress = ignore_events,
    receipt: Pathlike | None = None,
    options: PublishOptions = DEFAULT_OPTIONS,
) -> Receipt:
    """Publish local files: all of them, or none if one of them fails a check.

    Args:
        paths: Distribution files, directories that contain some, or glob patterns.
        to: The remote to publish to.
        build: Facts about the build to store with each file, such as ``commit``, ``run`` and ``job``.
            [default: detected from the CI system]
        profile: Profile of checks to use instead of the remote's own. With ``pypi``, files that PyPI would
            reject are refused before they are stored anywhere.
        jobs: How many files to transfer in parallel. [default: adaptive]
        progress: Called with each event (`Event`), possibly from several threads.
        receipt: File for the receipt. It is updated while files are published, and kept on failure.
        options: What to replace, how to sign, how long to wait for confirmation.

    Raises:
        Conflict: The remote holds a file of the same name with other bytes; nothing was published.
        RelayFailed: Publishing started and did not complete. Calling `push` again completes it.
        WheelrelayError: Any other failure; nothing was published.
    """
    files = find_paths(paths, build=current_build() if build is None else build)
    route = Route(source=Remote("local files", connected=files), sinks=[to])
    engine_options = replace(
        _engine_options(options, jobs, progress),
        order=route.order,
        findings=(*files.misnamed(), *files.dangling()),
    )
    if not files.has_files:
        refuse(engine_options.findings)
    connect = partial(
        connected_route,
        route,
        Selection(),
        engine_options,
        sign=options.sign,
        confirm_timeout=options.confirm_timeout,
        profile=None if profile is None else Profile(profile),
    )
    return _moved(connect, partial(run.release, one_version=False), route, {"receipt": receipt})


def verify(
    target: Route | RemoteLike,
    requirements: Requirements = (),
    *,
    selection: Selection | None = None,
    shard: ShardLike | None = None,
    download: bool = False,
    state: Pathlike | None = None,
    jobs: int | None = None,
    progress: Progress = ignore_events,
    engine: EngineLike | None = None,
) -> list[Finding]:
    """Verify published files.

    Args:
        target: A route, to compare the files of its source with those of each sink; or a remote, to download
            its files and compare them with the digests that it declares.
        requirements: Projects and versions to verify. [default: all]
        selection: Which files to verify, instead of ``requirements`` and the keys of the route: for example
            ``route.selection().within(projects)``, or ``Selection(files=...)`` for exactly these files. With
            a lock, a locked file that is missing, or has another digest, is a finding.
        shard: Number, from 1, and count, such as ``(1, 4)``: verify only the projects of this part.
        download: For a route, download and hash the files of the sinks instead of trusting their digests.
        state: A file that remembers the downloaded files, so that a later run continues: files with the same
            digest, size and time of modification are skipped. If it is lost, all files are verified again.
        jobs: How many files to read in parallel. [default: adaptive]
        progress: Called with each event (`Event`), possibly from several threads; at last with `Verified`,
            which has the number of files.
        engine: The workers that download the files, as for `relay`. [default: this process]

    Returns:
        A finding for each file that is missing, differs or is damaged, and for each page or file that cannot
        be read; empty if all files are verified.

    Raises:
        NothingMatched: No file matches.
        ConfigError: A remote cannot be read.
        BackendError: Nothing of a remote can be read.
    """
    options = RelayOptions(_checked_jobs(jobs), progress)
    with VerifiedFiles(None if state is None else Path(os.fspath(state))) as verified:
        if isinstance(target, Route):
            chosen = selection_of(target, requirements, selection, shard)
            with (
                connected_route(target, chosen, options, is_read_only=True) as request,
                temporary_staging_area() as area,
                _reading(engine, target) as read_files,
            ):
                return verify_sinks(request, area, verified, download=download, read_files=read_files)
        chosen = selection_of(None, requirements, selection, shard)
        remote = as_remote(target)
        with (
            opened_source(remote) as source,
            temporary_staging_area() as area,
            _reading(engine, Route(source=remote, sinks=[remote])) as read_files,
        ):
            request = RelayRequest(source, selection=chosen, options=options)
            return verify_remote(request, area, verified, read_files=read_files)


def _reading(engine: EngineLike | None, route: Route) -> AbstractContextManager[ReadFiles]:
    """Return what downloads the files of a verification."""
    if engine is None:
        return nullcontext(LocalReader)
    from wheelrelay.api.coordination import reading_on

    return reading_on(engine, route)


def _engine_options(options: PublishOptions, jobs: int | None, progress: Progress) -> RelayOptions:
    return RelayOptions(
        jobs=_checked_jobs(jobs),
        progress=progress,
        allow_unexpected=options.allow_unexpected,
        replace=options.replace,
        signer=options.signer,
        attester=options.attester,
        finalize=options.finalize,
    )


def _moved(
    connect: Callable[[], AbstractContextManager[RelayRequest]],
    move: Callable[[RelayRequest, ReceiptRecorder], Receipt],
    route: Route,
    outputs: Outputs,
    *,
    shard: Shard | None = None,
    versions: Mapping[str, str] = NO_VERSIONS,
) -> Receipt:
    """Connect both sides, move the files, and write the receipt.

    An interrupt that comes after the last file, while connections are closed, changes nothing.
    """
    source, sinks = as_remote(route.source), sinks_of(route)
    receipt_writer = ReceiptWriter(outputs.get("receipt"))
    recorder = ReceiptRecorder(
        source.name,
        [sink.name for sink in sinks],
        route.mode,
        save=receipt_writer.save_function(),
        versions=versions_of(source, *sinks) | dict(versions),
        shards=() if shard is None else (shard,),
    )
    may_save: Callable[[], bool] = receipt_writer.replaces_receipt  # it reads the whole earlier receipt
    try:
        with connect() as request:
            may_save = partial(bool, False)
            refuse_inputs_of(outputs, route, request)
            may_save = partial(bool, True)
            recorder.save()
            receipt = move(request, recorder)
    except KeyboardInterrupt:
        receipt = _after_interrupt(recorder)
    except (RelayFailed, ReleaseRefused):  # they have their receipt
        raise
    except WheelrelayError as error:
        if may_save():
            with suppress(WheelrelayError):  # the receipt cannot be written, and the first error counts
                recorder.record_error(str(error))
        raise
    receipt_writer.require_written(receipt)
    return receipt


def _after_interrupt(recorder: ReceiptRecorder) -> Receipt:
    """Return the receipt of a relay that was interrupted; see `run.after_interrupt`."""
    try:
        return run.after_interrupt(recorder)
    except KeyboardInterrupt:
        with suppress(WheelrelayError):
            recorder.record_error("Interrupted; nothing was published.")
        raise


def _checked_jobs(jobs: int | None) -> int | None:
    if jobs is not None and jobs < 1:
        raise ConfigError(f"`jobs` is {jobs}, but must be at least 1.")
    return jobs

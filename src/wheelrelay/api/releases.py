"""Plan and relay: move the files of a route, or local files, whole or not at all."""

import logging
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from wheelrelay.api.connecting import opened_sink, opened_source, sinks_of, versions_of
from wheelrelay.api.outputs import Outputs, refuse_inputs_of
from wheelrelay.api.reading import Requirements
from wheelrelay.backends.local.paths import Pathlike, find_paths
from wheelrelay.checks import Profile
from wheelrelay.ci import current_build
from wheelrelay.config import Remote, RemoteLike, Route, as_remote
from wheelrelay.disk.writing import ensure_writable, replace_file
from wheelrelay.documents import receipt_document, sums_text, to_json
from wheelrelay.engine import run
from wheelrelay.engine.confirming import DEADLINE
from wheelrelay.engine.context import RelayContext, RelayOptions
from wheelrelay.engine.findings import ReleasePolicy
from wheelrelay.engine.gate import refuse
from wheelrelay.engine.planning import plan_of
from wheelrelay.engine.verifying import verify_place, verify_sinks
from wheelrelay.errors import ConfigError, RelayFailed, WheelrelayError
from wheelrelay.events import Progress, ignore_events
from wheelrelay.expect import Expected
from wheelrelay.model import Mode
from wheelrelay.records import Finding, Plan, Receipt
from wheelrelay.select import Selection, parse_requirement
from wheelrelay.signing import (
    GPG,
    Attester,
    Signer,
    SigstoreAttester,
    TrustedKeys,
    TrustedPublishers,
    TrustPolicy,
    Verifier,
)
from wheelrelay.transfer.staging_area import temporary_staging_area

logger = logging.getLogger(__name__)


def plan(route: Route, requirements: Requirements = (), *, jobs: int | None = None) -> Plan:
    """What a relay would do; nothing is written anywhere.

    Args:
        route: from where to where; `Config.route` gives a configured one.
        requirements: which projects and versions; they take the place of the route's own.
        jobs: how many sinks are read at once; found out by what is observed if not given.

    Raises:
        NothingMatched: no file is meant; says what comes nearest.
        SeveralVersions: a release takes one version of a project, and there are more.
        ConfigError: a remote or requirement is wrong.
        BackendError: a remote fails.
    """
    with _journey(route, route.selection(list(requirements)), RelayOptions(_counted(jobs))) as context:
        return plan_of(context, one_version=route.mode is Mode.RELEASE)


def relay(
    route: Route,
    requirements: Requirements = (),
    *,
    jobs: int | None = None,
    progress: Progress = ignore_events,
    receipt: Pathlike | None = None,
    sums: Pathlike | None = None,
    allow_unexpected: bool = False,
    replace: bool = False,
    sign: bool = False,
    sign_with: str = GPG,
    identity: str | None = None,
    attester: Attester | None = None,
    approve: Callable[[Plan], bool] | None = None,
    confirm_within: float = DEADLINE,
) -> Receipt:
    """Move the files of a route.

    Args:
        route: from where to where; `Config.route` gives a configured one.
        requirements: which projects and versions; they take the place of the route's own.
        jobs: how many files are moved at once; found out by what is observed if not given.
        progress: told of what happens, see `wheelrelay.events`.
        receipt: where to keep the receipt, from the beginning on and however the relay ends.
        sums: where to write the sha256 of every file, as ``sha256sum --check`` reads it.
        allow_unexpected: publish also files that the route's expected set does not name.
        replace: put other bytes in the place of those that a container has under a name.
        sign: publish a GPG signature with each file, also where a sink does not ask for it by itself.
        sign_with: the program that makes signatures.
        identity: which key it signs with; its default key if not given.
        attester: makes attestations for the sinks that ask for them; the public Sigstore if not given.
        approve: asked once, after the gate and before the first byte is published.
        confirm_within: seconds to wait until a sink shows what was published.

    Raises:
        ReleaseRefused: something is wrong with the release; nothing was published.
        RelayFailed: publishing began and did not come to its end; a re-run completes it.
        WheelrelayError: anything else; nothing was published.
    """
    if sums is not None:
        ensure_writable(Path(os.fspath(sums)))
    kept = _ReceiptFile(receipt)
    settings = RelayOptions(
        jobs=_counted(jobs),
        progress=progress,
        approve=approve or (lambda _: True),
        confirm_within=confirm_within,
        allow_unexpected=allow_unexpected,
        replace=replace,
        sign=sign,
        signer=Signer(sign_with, identity),
        attester=attester or SigstoreAttester(),
        wait=route.wait.total_seconds(),
        order=route.order,
        keep_receipt=kept.keeper(),
        versions=versions_of(as_remote(route.source), *sinks_of(route)),
    )
    move = run.mirror if route.mode is Mode.MIRROR else run.release
    outputs = {"receipt": receipt, "list of sums": sums}
    done = _carried_out(route, route.selection(list(requirements)), settings, move, outputs)
    kept.demand(done)
    if sums is not None:
        _write_sums(Path(os.fspath(sums)), done)
    return done


def push(
    paths: Sequence[Pathlike],
    to: RemoteLike,
    *,
    build: Mapping[str, str] | None = None,
    profile: Profile | str | None = None,
    replace: bool = False,
    jobs: int | None = None,
    progress: Progress = ignore_events,
    receipt: Pathlike | None = None,
    confirm_within: float = DEADLINE,
) -> Receipt:
    """Publish local files: verified all together, then all or none.

    Args:
        paths: distribution files, directories that hold some, or glob patterns.
        to: the remote to publish to.
        build: what to store with each file about its build, such as ``commit``, ``run`` and ``job``; if not
            given, what the CI system that this runs on tells.
        profile: the profile of checks to use instead of the remote's own; with ``pypi``, a build that PyPI
            would refuse is refused before it is stored anywhere.
        replace: put other bytes in the place of those that a container has under a name.
        jobs: how many files are moved at once; found out by what is observed if not given.
        progress: told of what happens.
        receipt: where to keep the receipt, from the beginning on and however it ends.
        confirm_within: seconds to wait until the remote shows what was published.

    Raises:
        Conflict: the remote has one of the names with other bytes; nothing was published.
        RelayFailed: publishing began and did not come to its end; a re-run completes it.
        WheelrelayError: anything else; nothing was published.
    """
    found = find_paths(paths, build=current_build() if build is None else build)
    route = Route(source=Remote("local files", connected=found), sinks=[to])
    kept = _ReceiptFile(receipt)
    settings = RelayOptions(
        jobs=_counted(jobs),
        progress=progress,
        confirm_within=confirm_within,
        replace=replace,
        order=route.order,
        keep_receipt=kept.keeper(),
        versions=versions_of(*sinks_of(route)),
        findings=(*found.misnamed(), *found.dangling()),
    )
    if not found.has_files:
        refuse(settings.findings)
    chosen = None if profile is None else Profile(profile)
    move = partial(run.release, one_version=False)
    done = _carried_out(route, Selection(), settings, move, {"receipt": receipt}, profile=chosen)
    kept.demand(done)
    return done


def verify(
    given: Route | RemoteLike,
    requirements: Requirements = (),
    *,
    download: bool = False,
    jobs: int | None = None,
    progress: Progress = ignore_events,
) -> list[Finding]:
    """Prove that what is published is what it should be.

    Args:
        given: of a route, the files of its source are compared with those of each sink; the files of a
            remote alone are fetched and compared with the digests that it declares.
        requirements: which projects and versions.
        download: for a route, fetch and hash what the sinks give out instead of taking their digests.
        jobs: how many files are read at once; found out by what is observed if not given.
        progress: told of what happens.

    Returns:
        A finding for each file that is missing, differs or is damaged; none if all is well.

    Raises:
        NothingMatched: no file is meant.
        ConfigError: a remote cannot be read.
        BackendError: a remote fails.
    """
    settings = RelayOptions(_counted(jobs), progress)
    if isinstance(given, Route):
        with (
            _journey(given, given.selection(list(requirements)), settings) as context,
            temporary_staging_area() as house,
        ):
            return verify_sinks(context, house, download=download)
    selection = Selection(requirements=tuple(parse_requirement(str(wanted)) for wanted in requirements))
    with opened_source(as_remote(given)) as origin, temporary_staging_area() as house:
        context = RelayContext(origin, (), selection, Expected(), ReleasePolicy(), settings)
        try:
            return verify_place(context, house)
        finally:
            context.close()


def _carried_out(
    route: Route,
    selection: Selection,
    settings: RelayOptions,
    move: Callable[[RelayContext], Receipt],
    outputs: Outputs,
    *,
    profile: Profile | None = None,
) -> Receipt:
    """Connect both sides and move the files; an interrupt that comes after that changes nothing."""
    context = None
    try:
        with _journey(route, selection, settings, profile=profile) as context:
            refuse_inputs_of(outputs, route, context)
            return move(context)
    except KeyboardInterrupt:
        if context is None:
            raise
        return run.after_interrupt(context)


@contextmanager
def _journey(
    route: Route, selection: Selection, settings: RelayOptions, *, profile: Profile | None = None
) -> Iterator[RelayContext]:
    """Connect both sides of a route; everything is closed at the end."""
    expected = route.expect.expected() if route.expect else Expected()
    commit, sums = (route.expect.commit, route.expect.sums()) if route.expect else (None, None)
    mirror = route.mode is Mode.MIRROR
    with ExitStack() as stack:
        demands = ReleasePolicy(commit, sums, _trust(route, stack))
        origin = stack.enter_context(opened_source(as_remote(route.source)))
        destinations = [
            stack.enter_context(opened_sink(sink, sign=settings.sign, mirror=mirror, profile=profile))
            for sink in sinks_of(route)
        ]
        context = RelayContext(origin, destinations, selection, expected, demands, settings)
        stack.callback(context.close)
        yield context


def _trust(route: Route, stack: ExitStack) -> TrustPolicy | None:
    """Those who may vouch for the files of a route; none if anybody's files will do."""
    keys, publishers = route.verify.keys(), route.verify.publishers()
    judges: list[Verifier] = []
    if keys:
        judges.append(stack.enter_context(TrustedKeys.gathered(keys)))
    if publishers:
        judges.append(TrustedPublishers(publishers, route.verify.trust_root))
    return TrustPolicy(judges) if judges else None


def _counted(jobs: int | None) -> int | None:
    if jobs is not None and jobs < 1:
        raise ConfigError(f"{jobs} files at once cannot be moved.", hint="Give --jobs 1 or more.")
    return jobs


class _ReceiptFile:
    """The file that has the receipt, written each time whole.

    That it cannot be written is an error at the first time, when nothing was published yet. Later on it must
    not keep a relay from coming to its end, and is an error after it.

    Args:
        path: the file; nothing is written without one.
    """

    def __init__(self, path: Pathlike | None) -> None:
        self._path = None if path is None else Path(os.fspath(path))
        self._began = False
        self._failed: WheelrelayError | None = None

    def keeper(self) -> Callable[[Receipt], None] | None:
        """What writes it."""
        return self._keep if self._path else None

    def demand(self, done: Receipt) -> None:
        """Make sure that the file has the last receipt.

        Raises:
            RelayFailed: it could not be written.
        """
        if self._failed:
            raise RelayFailed(
                f"All files are in place, but the receipt is not complete: {self._failed.message}",
                receipt=done,
                hint=self._failed.hint,
            ) from self._failed

    def _keep(self, receipt: Receipt) -> None:
        assert self._path is not None
        try:
            replace_file(self._path, to_json(receipt_document(receipt)).encode())
            self._failed = None
        except WheelrelayError as error:
            if not self._began:
                raise
            self._failed = error
            logger.warning("%s", error)
        self._began = True


def _write_sums(path: Path, done: Receipt) -> None:
    try:
        replace_file(path, sums_text(done).encode())
    except WheelrelayError as error:
        raise RelayFailed(f"All files are in place, but {error}", receipt=done) from error

"""Sign and attest what is going to be published, where a sink asks for it: last before the first byte."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wheelrelay.engine.context import ConnectedSink, RelayContext
from wheelrelay.engine.findings import CheckedFile
from wheelrelay.events import FileEnded, Step, StepBegan, StepEnded
from wheelrelay.model import Companion
from wheelrelay.protocols import SupportsAttestations
from wheelrelay.records import Action, Plan
from wheelrelay.signing import PUBLISH_ATTESTATION, SIGNATURE_SUFFIX, require_package
from wheelrelay.staged import StagedFile

Made = Mapping[str, Sequence[Companion]]
"""What was made, by the names of the files that it belongs to."""


def sign_all(context: RelayContext, plan: Plan, checked: Mapping[str, CheckedFile]) -> Made:
    """Make signatures and attestations for the files of a release, and tell those who watch.

    Raises:
        MissingSecret: there is no key to sign with, or no identity to attest with.
        WheelrelayError: whoever makes them failed.
    """
    files = _lacking(context, plan, checked)
    if not files:
        return {}
    suffixes = {suffix for _, lacking in files for suffix in lacking}
    makers = {SIGNATURE_SUFFIX: context.settings.signer.program, PUBLISH_ATTESTATION: "Sigstore"}
    told = " and ".join(maker for suffix, maker in makers.items() if suffix in suffixes)
    context.tell(StepBegan(Step.SIGN, told, len(files), sum(staged.size for staged, _ in files)))
    made = sign_files(context, plan, checked)
    context.tell(StepEnded(Step.SIGN, told))
    return made


def sign_files(context: RelayContext, plan: Plan, checked: Mapping[str, CheckedFile]) -> Made:
    """Make what those files lack that are bound for a sink which asks for it, once for all such sinks.

    What came from the source is kept, but an attestation of publishing: this job is the one that publishes.
    """
    made = {}
    for staged, lacking in _lacking(context, plan, checked):
        made[staged.filename] = [_make(context, staged, suffix) for suffix in lacking]
        context.tell(FileEnded(Step.SIGN, staged.filename))
    return made


def prepare(context: RelayContext, plan: Plan) -> None:
    """Make sure that there is what it takes to sign and attest, while nothing was fetched yet.

    Raises:
        MissingSecret: there is no key to sign with.
        ConfigError: gpg cannot be run, or the key cannot be used; a sink would not take attestations.
    """
    if not plan.has_work:
        return
    making = {suffix for suffixes in context.making.values() for suffix in suffixes}
    if SIGNATURE_SUFFIX in making:
        context.settings.signer.make_ready()
    if PUBLISH_ATTESTATION in making:
        require_package()
        for each in context.destinations:
            if each.attest and isinstance(each.sink, SupportsAttestations):
                context.retrier.call(
                    f"the credentials for {each.name}", each.sink.ensure_accepts_attestations
                )


def with_companions(destination: ConnectedSink, files: Sequence[StagedFile], made: Made) -> list[StagedFile]:
    """The files as they are sent to a sink: each with what was made for it and the sink asks for."""
    return [_with_made(staged, destination.making, made.get(staged.filename, ())) for staged in files]


def _with_made(staged: StagedFile, asked: Sequence[str], made: Sequence[Companion]) -> StagedFile:
    new = {companion.suffix: companion for companion in made if companion.suffix in asked}
    if not new:
        return staged
    kept = [companion for companion in staged.companions if companion.suffix not in new]
    return replace(staged, companions=(*kept, *new.values()))


def _make(context: RelayContext, staged: StagedFile, suffix: str) -> Companion:
    if suffix == SIGNATURE_SUFFIX:
        return context.settings.signer.sign(staged)
    return context.retrier.call(
        f"the attestation of {staged.filename}", lambda: context.settings.attester.attest(staged)
    )


def _lacking(
    context: RelayContext, plan: Plan, checked: Mapping[str, CheckedFile]
) -> list[tuple[StagedFile, tuple[str, ...]]]:
    """The files for which something has to be made, and what."""
    found = []
    for planned in plan.files:
        asked = {
            suffix: None
            for name, suffixes in context.making.items()
            if planned.sinks[name].action is Action.UPLOAD
            for suffix in suffixes
        }
        if not asked:
            continue
        staged = checked[planned.file.filename].staged
        there = {companion.suffix for companion in staged.companions} - {PUBLISH_ATTESTATION}
        if lacking := tuple(suffix for suffix in asked if suffix not in there):
            found.append((staged, lacking))
    return found

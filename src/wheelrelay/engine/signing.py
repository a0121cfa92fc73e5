"""Make the signatures and attestations that sinks require: the last step before the first upload."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wheelrelay.engine.context import ConnectedSink, Runtime
from wheelrelay.engine.gate import CheckedFile
from wheelrelay.events import FileEnded, Step, StepBegan, StepEnded
from wheelrelay.model import Companion
from wheelrelay.protocols import SupportsAttestations
from wheelrelay.records import Action, Plan
from wheelrelay.signing import PUBLISH_ATTESTATION, SIGNATURE_SUFFIX, Attester, Signer, require_package
from wheelrelay.staged import StagedFile

NewCompanions = Mapping[str, Sequence[Companion]]
"""The companions that a relay has made, by the filename that they belong to."""


class CompanionMaker:
    """Makes the companions that the sinks require and the source does not have.

    A companion of the source is kept, except an attestation of publishing: this job is the publisher.

    Args:
        sinks: The sinks, in order.
        signer: Makes signatures.
        attester: Makes attestations.
        runtime: Retries and progress.
    """

    def __init__(
        self, sinks: Sequence[ConnectedSink], signer: Signer, attester: Attester, runtime: Runtime
    ) -> None:
        self._sinks = sinks
        self._signer = signer
        self._attester = attester
        self._runtime = runtime

    def prepare(self, plan: Plan) -> None:
        """Verify that signing and attesting will work, before anything is downloaded.

        Raises:
            MissingSecret: There is no key to sign with.
            ConfigError: Gpg cannot be run, or the key cannot be used, or a sink would refuse attestations.
        """
        if not any(planned.needs_staging for planned in plan.files):
            return
        required = {suffix for sink in self._sinks for suffix in sink.required_companions}
        if SIGNATURE_SUFFIX in required:
            self._signer.make_ready()
        if PUBLISH_ATTESTATION in required:
            require_package()
            for sink in self._sinks:
                if sink.attest and isinstance(sink.sink, SupportsAttestations):
                    self._runtime.retrier.call(
                        f"the credentials for {sink.name}", sink.sink.ensure_accepts_attestations
                    )

    def make_all(self, plan: Plan, checked: Mapping[str, CheckedFile]) -> NewCompanions:
        """Make the missing companions of all files of a release, as a separate step.

        Raises:
            MissingSecret: There is no key to sign with, or no identity to attest with.
            WheelrelayError: Signing or attesting failed.
        """
        files = self._incomplete(plan, checked)
        if not files:
            return {}
        suffixes = {suffix for _, missing in files for suffix in missing}
        makers = {SIGNATURE_SUFFIX: self._signer.program, PUBLISH_ATTESTATION: "Sigstore"}
        names = " and ".join(maker for suffix, maker in makers.items() if suffix in suffixes)
        size = sum(staged.size for staged, _ in files)
        self._runtime.report(StepBegan(Step.SIGN, names, len(files), size))
        made = self.make(plan, checked)
        self._runtime.report(StepEnded(Step.SIGN, names))
        return made

    def make(self, plan: Plan, checked: Mapping[str, CheckedFile]) -> NewCompanions:
        """Make the missing companions of some files, each once for all sinks."""
        made = {}
        for staged, missing in self._incomplete(plan, checked):
            made[staged.filename] = [self._make_one(staged, suffix) for suffix in missing]
            self._runtime.report(FileEnded(Step.SIGN, staged.filename))
        return made

    def _make_one(self, staged: StagedFile, suffix: str) -> Companion:
        if suffix == SIGNATURE_SUFFIX:
            return self._signer.sign(staged)
        return self._runtime.retrier.call(
            f"the attestation of {staged.filename}", lambda: self._attester.attest(staged)
        )

    def _incomplete(
        self, plan: Plan, checked: Mapping[str, CheckedFile]
    ) -> list[tuple[StagedFile, tuple[str, ...]]]:
        """Return the files that lack required companions, with the suffixes of these."""
        found = []
        for planned in plan.files:
            required = {
                suffix: None
                for sink in self._sinks
                if planned.sinks[sink.name].action is Action.UPLOAD
                for suffix in sink.required_companions
            }
            if not required:
                continue
            staged = checked[planned.file.filename].staged
            kept = {companion.suffix for companion in staged.companions} - {PUBLISH_ATTESTATION}
            if missing := tuple(suffix for suffix in required if suffix not in kept):
                found.append((staged, missing))
        return found


def with_companions(
    sink: ConnectedSink, files: Sequence[StagedFile], made: NewCompanions
) -> list[StagedFile]:
    """Return the files as a sink gets them: each with the new companions that this sink requires."""
    return [_with_made(staged, sink.required_companions, made.get(staged.filename, ())) for staged in files]


def _with_made(staged: StagedFile, required: Sequence[str], made: Sequence[Companion]) -> StagedFile:
    new = {companion.suffix: companion for companion in made if companion.suffix in required}
    if not new:
        return staged
    kept = [companion for companion in staged.companions if companion.suffix not in new]
    return replace(staged, companions=(*kept, *new.values()))

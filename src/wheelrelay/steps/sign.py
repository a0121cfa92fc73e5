"""Sign what is going to be published, where a sink asks for it: the last step before the first byte."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from wheelrelay.model import Companion
from wheelrelay.records import Action, Plan
from wheelrelay.signing import signature_of
from wheelrelay.staged import StagedFile
from wheelrelay.steps.check import CheckedFile
from wheelrelay.steps.events import FileEnded, Step, StepBegan, StepEnded
from wheelrelay.steps.journey import Destination, Journey

Signatures = Mapping[str, Companion]
"""Signatures by the names of the files that they belong to."""


def sign_all(journey: Journey, plan: Plan, checked: Mapping[str, CheckedFile]) -> Signatures:
    """Sign the files of a release, and tell those who watch.

    Raises:
        MissingSecret: there is no key to sign with.
        WheelrelayError: gpg failed.
    """
    files = _to_be_signed(journey, plan, checked)
    if not files:
        return {}
    program = journey.settings.signer.program
    journey.tell(StepBegan(Step.SIGN, program, len(files), sum(staged.size for staged in files)))
    signatures = sign_files(journey, plan, checked)
    journey.tell(StepEnded(Step.SIGN, program))
    return signatures


def sign_files(journey: Journey, plan: Plan, checked: Mapping[str, CheckedFile]) -> Signatures:
    """Sign those files that are bound for a sink that asks for it, once for all such sinks.

    A signature that came from the source is kept.
    """
    signatures = {}
    for staged in _to_be_signed(journey, plan, checked):
        signatures[staged.filename] = journey.settings.signer.sign(staged)
        journey.tell(FileEnded(Step.SIGN, staged.filename))
    return signatures


def prepare(journey: Journey, plan: Plan) -> None:
    """Make sure that there is a key to sign with, while nothing was fetched yet.

    Raises:
        MissingSecret: there is none.
        ConfigError: gpg cannot be run, or the key cannot be used.
    """
    if journey.signing and plan.to_do():
        journey.settings.signer.make_ready()


def with_companions(
    destination: Destination, files: Sequence[StagedFile], signatures: Signatures
) -> list[StagedFile]:
    """The files as they are sent to a sink: each with its new signature, if the sink asks for it."""
    if not destination.sign:
        return list(files)
    return [
        replace(staged, companions=(*staged.companions, signatures[staged.filename]))
        if staged.filename in signatures
        else staged
        for staged in files
    ]


def _to_be_signed(journey: Journey, plan: Plan, checked: Mapping[str, CheckedFile]) -> list[StagedFile]:
    bound = [
        checked[planned.file.filename].staged
        for planned in plan.files
        if any(planned.sinks[name].action is Action.UPLOAD for name in journey.signing)
    ]
    return [staged for staged in bound if signature_of(staged) is None]

"""Public records, events, errors and configurations can be sent to another process."""

import copy
import dataclasses
import inspect
import pickle
from datetime import UTC, datetime
from enum import Enum

import pytest
from packaging.requirements import Requirement
from packaging.version import Version

import wheelrelay
from wheelrelay import config, errors, events, model, records
from wheelrelay.config import remotes
from wheelrelay.errors import RelayFailed, ReleaseRefused, WheelrelayError
from wheelrelay.select import Selection
from wheelrelay.signing import Signer, SigstoreAttester
from wheelrelay.staged import FileIdentity, StagedFile
from wheelrelay.tags import TagPattern

MODULES = (wheelrelay, errors, events, records, model, config)

NOW = datetime(2026, 5, 4, 3, 2, 1, tzinfo=UTC)
DIGESTS = model.Digests.of({"sha256": "a" * 64, "md5": "b" * 32, "sha1": "c" * 40})
FILE = model.DistFile(
    "sample-1.0-py3-none-any.whl",
    "sample",
    Version("1.0"),
    model.Kind.WHEEL,
    size=3,
    digests=DIGESTS,
    url="https://wheels.example.org/sample-1.0-py3-none-any.whl",
    requires_python=">=3.11",
    yanked="broken",
    upload_time=NOW,
    companions=(".asc",),
    provenance="https://wheels.example.org/provenance",
    build={"commit": "abc"},
)
FINDING = records.Finding("metadata", records.Severity.WARNING, "No.", FILE.filename, "Add it.", demoted=True)
INTENT = records.Intent(records.Action.CONFLICT, "other bytes", FILE, replaces=True, can_replace=True)
PLANNED = records.PlannedFile(FILE, {"pypi": INTENT})
PLAN = records.Plan("staging", ("pypi",), (PLANNED,), ("a wheel",), ("other.whl",), (FINDING,))
DELIVERY = records.Delivery(records.Outcome.FAILED, 2, 1.5, "It was refused.", lasting=True)
RECEIPT_FILE = records.ReceiptFile(
    FILE.filename, "sample", "1.0", 3, "a" * 64, "https://wheels.example.org/", {"pypi": DELIVERY}
)
RECEIPT = records.Receipt(
    "staging",
    ("pypi",),
    "mirror",
    NOW,
    NOW,
    (RECEIPT_FILE,),
    (FINDING,),
    {"wheelrelay": "0.1.0"},
    (model.Shard(1, 2),),
)
RELEASE = wheelrelay.LockedRelease("sample", Version("1.0"), {FILE.filename: "a" * 64}, frozenset({"b" * 64}))
SELECTION = Selection((Requirement("sample==1.0"),), TagPattern.parse("cp312-*-{win,mac}*"), sdist=False)
ROUTE = wheelrelay.Route(
    source="./dist",
    sinks=["./wheelhouse"],
    projects=["sample"],
    trust=wheelrelay.Trust(
        publishers=[wheelrelay.GitHubPublisher(github="example/sample", workflow="release.yml")]
    ),
    expect=wheelrelay.Expect(count=3),
)

RELEASE_METADATA = wheelrelay.ReleaseMetadata(FILE.filename, ">=3.11", "MIT", frozenset({"numpy"}))
COMPARED = wheelrelay.ComparedRelease(model.Release("sample", Version("1.0"), (FILE,)), RELEASE_METADATA)
AUDIT_ISSUE = wheelrelay.AuditIssue(
    "incomplete", records.Severity.WARNING, "sample", "1.0", "No.", ("a.whl",)
)
AUDITED_FILE = wheelrelay.AuditedFile(FILE.filename, "sample", "1.0", "a" * 64)
PREFLIGHT_ITEM = wheelrelay.PreflightItem("clock", wheelrelay.Verdict.PASS, "It is right.", "pypi", "sample")

EXAMPLES = [
    DIGESTS,
    FILE,
    model.Companion(".asc", b"signature"),
    model.Release("sample", Version("1.0"), (FILE,)),
    model.Shard(1, 2),
    model.ProjectStatus("archived", "Use another project."),
    FINDING,
    INTENT,
    PLANNED,
    PLAN,
    DELIVERY,
    RECEIPT_FILE,
    RECEIPT,
    events.Planned(PLAN),
    events.StepBegan(events.Step.STAGE, "staging", 2, 30),
    events.FileBegan(events.Step.STAGE, FILE.filename, 3),
    events.BytesMoved(events.Step.STAGE, FILE.filename, 3),
    events.FileEnded(events.Step.PUBLISH, FILE.filename, DELIVERY, "It was refused."),
    events.Waiting(FILE.filename, "No answer.", 2.5),
    events.Verified(3, 2, 1),
    events.AwaitingFiles(19, 20, ("cp313-*-win_amd64",), 59.0),
    events.SizeKnown(events.Step.STAGE, FILE.filename, 3),
    events.Interrupting(5.0),
    events.StepEnded(events.Step.CONFIRM, "pypi"),
    *TagPattern.parse("cp312-*-win*"),
    RELEASE,
    wheelrelay.Lock((RELEASE,), {"local": "it is a local directory"}),
    SELECTION,
    dataclasses.replace(SELECTION, lock=wheelrelay.Lock((RELEASE,)), local="cu129"),
    dataclasses.replace(SELECTION, shard=model.Shard(1, 2), files=(FILE,)).within(["sample"]),
    Signer("gpg2", "A1B2"),
    SigstoreAttester(),
    wheelrelay.PublishOptions(
        replace=True, confirm_timeout=3.0, signer=Signer("gpg2"), attester=SigstoreAttester()
    ),
    wheelrelay.AuditReport("pypi", NOW, ("sample",), 1, (AUDITED_FILE,), (AUDIT_ISSUE,)),
    AUDITED_FILE,
    AUDIT_ISSUE,
    COMPARED,
    model.CredentialCheck(True, "It is accepted."),
    wheelrelay.Differences(("a",), ("b",)),
    PREFLIGHT_ITEM,
    wheelrelay.PreflightReport((PREFLIGHT_ITEM,)),
    RELEASE_METADATA,
    wheelrelay.ReleaseComparison(COMPARED, COMPARED),
    wheelrelay.ChecksConfig(ignore=["sdist-member-name"]),
    wheelrelay.CircleCIPublisher(circleci="project", pipeline="pipeline"),
    wheelrelay.CommandSecret(command=["pass", "pypi"]),
    wheelrelay.Config(remotes={"here": remotes.as_remote("./dist")}),
    wheelrelay.DirectoryConfig(path="dist").named("here"),
    wheelrelay.EnvSecret(env="TOKEN"),
    ROUTE.expect,
    wheelrelay.FileSecret(file="token.txt"),
    wheelrelay.FsspecConfig(url="sftp://wheels.example.org/"),
    ROUTE.trust.publishers[0],
    wheelrelay.GitLabPublisher(gitlab="example/sample"),
    wheelrelay.GooglePublisher(google="release@example.org"),
    wheelrelay.IndexConfig(url="https://wheels.example.org/simple/", token=wheelrelay.EnvSecret(env="TOKEN")),
    wheelrelay.KeyringSecret(keyring="pypi", username="__token__"),
    wheelrelay.ListingConfig(url="https://wheels.example.org/"),
    wheelrelay.PyPIConfig(),
    wheelrelay.TestPyPIConfig(),
    remotes.Remote("here", wheelrelay.DirectoryConfig(path="dist")),
    wheelrelay.RemoteConfig(type="other").named("there"),
    config.ContainerConfig(type="other"),
    config.StoreConfig(type="other"),
    config.NetworkConfig(type="other"),
    config.EngineConfig(type="other", host_limit=4),
    wheelrelay.SinkConfig(type="other"),
    wheelrelay.Retention(keep=3),
    ROUTE,
    ROUTE.trust,
]

VALUES = {
    "message": "It failed.",
    "hint": "Run it again.",
    "status": 400,
    "retry_after": 2.5,
    "waited": 30.0,
    "requests": 2,
    "findings": (FINDING,),
    "receipt": RECEIPT,
}
"""A value for each parameter of any error."""

TESTED_APART = {StagedFile, config.SecretValue}
"""A staged file is a file on this machine; a secret has no equality (see the tests of secrets)."""


def public_classes():
    found = {getattr(module, name) for module in MODULES for name in module.__all__}
    return {kind for kind in found if inspect.isclass(kind) and not getattr(kind, "_is_protocol", False)}


ERRORS = sorted(
    (kind for kind in public_classes() if issubclass(kind, Exception)), key=lambda kind: kind.__name__
)
ENUMS = sorted((kind for kind in public_classes() if issubclass(kind, Enum)), key=lambda kind: kind.__name__)


def pickled(value):
    return pickle.loads(pickle.dumps(value))


def make_error(kind):
    """Make an error with a value for each attribute that its class has."""
    error = kind(**{name: VALUES[name] for name in inspect.signature(kind).parameters}).at("sink 'pypi'")
    if isinstance(error, ReleaseRefused):
        error.receipt = RECEIPT
    error.add_note("a note")
    return error


def assert_same_error(error, other):
    assert type(error) is type(other)
    assert error.args == other.args
    assert vars(error) == vars(other)
    assert str(error) == str(other)


def test_every_public_class_has_an_example():
    tested = {type(example) for example in EXAMPLES} | {*ERRORS, *ENUMS} | TESTED_APART
    assert {kind.__name__ for kind in public_classes() - tested} == set()


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: type(example).__name__)
def test_pickles_with_all_attributes(example):
    copied = pickled(example)
    assert type(copied) is type(example)
    assert copied == example
    if dataclasses.is_dataclass(example):  # some fields do not take part in comparisons
        names = [field.name for field in dataclasses.fields(example) if not field.name.startswith("_")]
        assert [getattr(copied, name) for name in names] == [getattr(example, name) for name in names]
    if isinstance(example, wheelrelay.RemoteConfig):
        assert copied.remote_name == example.remote_name


@pytest.mark.parametrize("kind", ENUMS)
def test_members_of_enumerations_stay_the_same_objects(kind):
    assert [pickled(member) is member for member in kind] == [True] * len(kind)


@pytest.mark.parametrize("kind", ERRORS)
def test_errors_pickle_and_copy_with_all_attributes(kind):
    error = make_error(kind)
    assert_same_error(pickled(error), error)
    assert_same_error(copy.copy(error), error)
    extended = error.extended("Nothing else did.")
    assert_same_error(pickled(extended), extended)
    assert pickled(extended).message == "It failed. Nothing else did."


def test_errors_of_plugins_pickle_without_code_of_their_own():
    error = PluginError("It failed.", code=7)
    assert_same_error(pickled(error), error)
    assert pickled(error).code == 7


class PluginError(WheelrelayError):
    """An error whose constructor needs more than a message."""

    def __init__(self, message, *, code):
        super().__init__(message)
        self.code = code


def test_failure_keeps_its_receipt():
    error = RelayFailed("Half of it is published.", receipt=RECEIPT, hint="Run it again.")
    assert pickled(error).receipt == RECEIPT
    assert pickled(error).receipt.files[0].sinks["pypi"].lasting


def test_staged_files_are_data_apart_from_their_file(tmp_path):
    staged = StagedFile(FILE, tmp_path / FILE.filename, 3, "a" * 64, FileIdentity(1, 2, 3, 4))
    assert pickled(staged) == staged

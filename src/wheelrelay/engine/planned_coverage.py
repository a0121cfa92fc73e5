"""Compare a planned release with the newest earlier one, before anything is downloaded."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from wheelrelay.engine.context import ConnectedSink
from wheelrelay.engine.gate import deduplicated
from wheelrelay.engine.listing import Inventory
from wheelrelay.model import DistFile, Kind
from wheelrelay.protocols import Source, SupportsLocalPath
from wheelrelay.records import Finding, Plan


def with_coverage(
    plan: Plan, source: Source, sinks: Sequence[ConnectedSink], inventories: Mapping[str, Inventory | None]
) -> Plan:
    """Return the plan of a release with findings about environments that lose their wheel.

    The gate finds the same with the metadata of the staged files. Those who approve the release know it
    earlier, if all Requires-Python are known from the listing of the source or from files on this machine.

    Args:
        plan: The plan.
        source: The source of the files.
        sinks: The sinks, in order.
        inventories: The files of each sink, by its name.
    """
    if not plan.has_work:
        return plan
    findings: list[Finding] = []
    described: list[DistFile] | None = None
    for sink in sinks:
        inventory = inventories[sink.name]
        if inventory and _has_other_versions(plan, inventory) and _applies(sink):
            if described is None:
                described = _described(plan, source)
            findings += _find(described, sink, inventory)
    return replace(plan, findings=(*plan.findings, *deduplicated(findings))) if findings else plan


def _has_other_versions(plan: Plan, inventory: Inventory) -> bool:
    return any(
        held.version != planned.file.version
        for planned in plan.files
        for held in inventory.of_project(planned.file.project)
    )


def _applies(sink: ConnectedSink) -> bool:
    from wheelrelay.checks.coverage import CHECKS  # imported where there is something to compare

    return any(sink.checks.severity_of(check) is not None for check in CHECKS.checks)


def _described(plan: Plan, source: Source) -> list[DistFile]:
    """Return the files of a plan with their Requires-Python; nothing if that of some is unknown."""
    from wheelrelay.core_metadata import read_core_metadata, requires_python

    files = [planned.file for planned in plan.files if planned.file.kind is not Kind.VARIANTS]
    if not isinstance(source, SupportsLocalPath):
        return files if all(file.requires_python for file in files) else []
    described = []
    for file in files:
        metadata = read_core_metadata(source.local_path(file), file.filename)
        if metadata is None:
            return []
        described.append(replace(file, requires_python=requires_python(metadata)))
    return described


def _find(files: Sequence[DistFile], sink: ConnectedSink, inventory: Inventory) -> Iterator[Finding]:
    from wheelrelay.checks import Inspection, ReleaseContext, run_release_checks
    from wheelrelay.checks.coverage import CHECKS

    inspections = [
        Inspection(
            file.filename, file.size or 0, file.sha256 or "", file=file, requires_python=file.requires_python
        )
        for file in files
    ]
    published = [
        held for project in {file.project for file in files} for held in inventory.of_project(project)
    ]
    context = ReleaseContext(published=tuple(published), is_whole_release=True)
    yield from run_release_checks(inspections, context, policy=sink.checks, families={"coverage": CHECKS})

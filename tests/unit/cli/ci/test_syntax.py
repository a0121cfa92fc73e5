"""What CI systems are told, held against how they read it."""

import re
from pathlib import Path

from wheelrelay.ci import CI_SYSTEMS
from wheelrelay.cli.ci.syntax import Annotation, Azure, GitHub, GitLab, dialect_of

EVIL = "a: b, c % %0A\r\n::error::no\n##vso[task.complete]"


def test_an_annotation_of_github_is_one_line_that_reads_back(tmp_path: Path) -> None:
    line = GitHub({}).annotation(Annotation("error", EVIL, EVIL, "a,b:c.toml"))
    read = re.fullmatch(r"::error title=([^,:]*),file=([^,:]*)::([^\r\n]*)\n", line)
    assert read

    def unescaped(text: str) -> str:
        for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            text = text.replace(code, char)
        return text

    assert [unescaped(part) for part in read.groups()] == [EVIL, "a,b:c.toml", EVIL]


def test_a_group_of_github_is_one_line() -> None:
    assert GitHub({}).group("x\n::error::no", 1) == "::group::x%0A::error::no\n"


def test_an_output_of_github_cannot_end_itself(tmp_path: Path) -> None:
    path = tmp_path / "outputs"
    github = GitHub({"GITHUB_OUTPUT": str(path)})
    github.output("address", "one\nother=value")
    github.output("published", "3")
    first, one, other, last, *rest = path.read_text().splitlines()
    assert (one, other) == ("one", "other=value")
    assert first == f"address<<{last}"
    assert rest[0].startswith("published<<")
    assert last not in rest


def test_a_section_of_gitlab_has_times_and_one_name() -> None:
    begin, end = GitLab().group("Plan\x1b[0K\rsection_end:1:x", 3), GitLab().end_group(3)
    opened = re.fullmatch(r"\x1b\[0Ksection_start:(\d{10}):(\w+)\r\x1b\[0KPlan \[0K section_end:1:x\n", begin)
    closed = re.fullmatch(r"\x1b\[0Ksection_end:(\d{10}):(\w+)\r\x1b\[0K\n", end)
    assert opened
    assert closed
    assert opened[2] == closed[2]


def test_an_issue_of_azure_is_one_line() -> None:
    line = Azure().annotation(Annotation("warning", "platform-tag", "100 %0A\nwrong"))
    assert line == "##vso[task.logissue type=warning]platform-tag: 100 %AZP250A%0Awrong\n"
    assert Azure().annotation(Annotation("notice", "x", "y")) == ""
    assert (
        Azure().output("address", "a\nb") == "##vso[task.setvariable variable=address;isOutput=true]a%0Ab\n"
    )
    assert Azure().group("a\nb", 1) == "##[group]a b\n"


def test_the_others_are_not_spoken_to() -> None:
    spoken = {system.name for system in CI_SYSTEMS if dialect_of(system, {}) is not None}
    assert spoken == {"github", "gitlab", "azure"}

"""Commands of CI systems, read back by their own rules."""

import re

from wheelrelay.ci import CI_SYSTEMS
from wheelrelay.cli.ci.syntax import Annotation, Azure, GitHub, GitLab, syntax_of

EVIL = "a: b, c % %0A\r\n::error::no\n##vso[task.complete]"


def test_github_annotation_is_one_line(tmp_path):
    line = GitHub({}).annotation(Annotation("error", EVIL, EVIL, "a,b:c.toml"))
    read = re.fullmatch(r"::error title=([^,:]*),file=([^,:]*)::([^\r\n]*)\n", line)
    assert read

    def unescaped(text):
        for code, char in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
            text = text.replace(code, char)
        return text

    assert [unescaped(part) for part in read.groups()] == [EVIL, "a,b:c.toml", EVIL]


def test_github_group_is_one_line():
    assert GitHub({}).group("x\n::error::no", 1) == "::group::x%0A::error::no\n"


def test_github_output_cannot_contain_its_delimiter(tmp_path):
    path = tmp_path / "outputs"
    github = GitHub({"GITHUB_OUTPUT": str(path)})
    github.output("address", "one\nother=value")
    github.output("published", "3")
    first, one, other, last, *rest = path.read_text().splitlines()
    assert (one, other) == ("one", "other=value")
    assert first == f"address<<{last}"
    assert rest[0].startswith("published<<")
    assert last not in rest


def test_gitlab_section_has_times_and_a_name():
    begin, end = GitLab().group("Plan\x1b[0K\rsection_end:1:x", 3), GitLab().end_group(3)
    opened = re.fullmatch(r"\x1b\[0Ksection_start:(\d{10}):(\w+)\r\x1b\[0KPlan \[0K section_end:1:x\n", begin)
    closed = re.fullmatch(r"\x1b\[0Ksection_end:(\d{10}):(\w+)\r\x1b\[0K\n", end)
    assert opened
    assert closed
    assert opened[2] == closed[2]


def test_azure_issue_is_one_line():
    line = Azure().annotation(Annotation("warning", "platform-tag", "100 %0A\nwrong"))
    assert line == "##vso[task.logissue type=warning]platform-tag: 100 %AZP250A%0Awrong\n"
    assert Azure().annotation(Annotation("notice", "x", "y")) == ""
    assert (
        Azure().output("address", "a\nb") == "##vso[task.setvariable variable=address;isOutput=true]a%0Ab\n"
    )
    assert Azure().group("a\nb", 1) == "##[group]a b\n"


def test_other_systems_have_no_syntax():
    names = {system.name for system in CI_SYSTEMS if syntax_of(system, {}) is not None}
    assert names == {"github", "gitlab", "azure"}

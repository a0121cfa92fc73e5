"""Routes: source, sinks, selection and expected files."""

from datetime import timedelta

import jsonschema
import pytest
from packaging.requirements import Requirement

from wheelrelay.config import Remote, Route
from wheelrelay.config.routes import Expect
from wheelrelay.config.schema import json_schema
from wheelrelay.errors import ConfigError
from wheelrelay.filenames import dist_file
from wheelrelay.model import Mode
from wheelrelay.testing.memory import MemoryStore

SHA256 = "0" * 64


def picked(route, *requirements):
    """Return the files that a route selects from a few files."""
    names = ("foo-1.0.tar.gz", "foo-1.0-cp312-cp312-win32.whl", "foo-2.0.tar.gz", "bar-1.0.tar.gz")
    return [file.filename for file in route.selection(requirements).pick([*map(dist_file, names)])]


class TestRoute:
    def test_accepts_addresses_and_backends_in_code(self):
        store = MemoryStore()
        route = Route(source="./dist", sinks=[store, "pypi"])
        assert isinstance(route.source, Remote)
        assert route.sinks[0].connected is store
        assert (route.mode, route.wait, route.expect) == (Mode.RELEASE, timedelta(0), None)

    def test_accepts_a_single_sink_as_a_string(self):
        assert [sink.name for sink in Route(source="./dist", sinks="pypi").sinks] == ["pypi"]

    def test_requires_a_sink(self):
        with pytest.raises(ConfigError, match=r"^Route\.sinks: this must not be empty"):
            Route(source="./dist", sinks=[])

    @pytest.mark.parametrize(
        ("keys", "message"),
        [
            ({"mode": "copy"}, "Route.mode: input should be 'release' or 'mirror'."),
            ({"mod": "mirror"}, "Route: there is no key 'mod'. Did you mean 'mode'?"),
            ({"wheels": ["cp312"]}, "Route.wheels.0: 'cp312' is not a tag pattern"),
            ({"expect": {"count": 0}}, "Route.expect.count: input should be greater than or equal to 1."),
            ({"sinks": ["pypy"]}, "Route.sinks.0: there is no remote 'pypy'."),
        ],
        ids=lambda value: "-".join(value) if isinstance(value, dict) else "",
    )
    def test_error_names_the_key(self, keys, message):
        with pytest.raises(ConfigError) as refused:
            Route(**{"source": "./dist", "sinks": ["pypi"], **keys})
        assert str(refused.value).startswith(message)

    def test_error_names_the_source_of_the_keys(self):
        with pytest.raises(ConfigError, match=r"^the form\.sinks: this key is required\.$"):
            Route.model_validate({"source": "./dist"}, context={"where": "the form"})

    def test_reads_lock_and_requirements_files_relative_to_the_configuration(self, tmp_path):
        (tmp_path / "locked.txt").write_text(f"foo==1.0 --hash=sha256:{SHA256}\n")
        (tmp_path / "plain.txt").write_text("bar>=1 ; python_version < '3'\nfoo<2\n")
        context = {"base": tmp_path}
        keys = {"source": "./dist", "sinks": ["pypi"]}
        route = Route.model_validate({**keys, "lock": "locked.txt"}, context=context)
        assert picked(route) == ["foo-1.0-cp312-cp312-win32.whl", "foo-1.0.tar.gz"]
        assert picked(route, "foo") == picked(route)
        route = Route.model_validate({**keys, "requirements": ["locked.txt"]}, context=context)
        assert picked(route) == ["foo-1.0-cp312-cp312-win32.whl", "foo-1.0.tar.gz"]
        route = Route.model_validate({**keys, "requirements": "plain.txt"}, context=context)
        assert picked(route) == ["bar-1.0.tar.gz", "foo-1.0-cp312-cp312-win32.whl", "foo-1.0.tar.gz"]
        assert picked(route, "foo==2.0") == ["foo-2.0.tar.gz"]

    @pytest.mark.parametrize("lock", ["pylock.toml", ["pylock.toml", "tools.txt"]])
    def test_schema_accepts_one_lock_or_several(self, lock):
        route = {"source": "./dist", "sinks": ["pypi"], "lock": lock, "requirements": lock, "local": "cu129"}
        jsonschema.validate({"routes": {"mirror": route}}, json_schema())

    def test_missing_lock_is_an_error_when_files_are_selected(self, tmp_path):
        route = Route(source="./dist", sinks="pypi", lock=tmp_path / "pylock.toml")
        with pytest.raises(ConfigError, match=r"pylock\.toml cannot be read"):
            route.selection()

    @pytest.mark.parametrize(("written", "local"), [("cu129", "cu129"), ("CU_129", "cu.129"), ("", "")])
    def test_normalizes_the_local_version(self, written, local):
        assert Route(source="./dist", sinks="pypi", local=written).selection().local == local

    def test_refuses_a_local_version_that_is_none(self):
        with pytest.raises(ConfigError, match=r"Route\.local: '\+cu129' is not a local version"):
            Route(source="./dist", sinks="pypi", local="+cu129")

    def test_selects_all_files_by_default(self):
        assert len(picked(Route(source="./dist", sinks="pypi"))) == 4

    def test_selects_by_projects_and_patterns(self):
        route = Route(source="./dist", sinks="pypi", projects=["foo<2"], wheels=["cp311-*-*"])
        assert picked(route) == ["foo-1.0.tar.gz"]
        assert picked(Route(source="./dist", sinks="pypi", projects=["foo<2"], sdist=False)) == [
            "foo-1.0-cp312-cp312-win32.whl"
        ]

    def test_requirements_of_the_call_replace_projects(self):
        route = Route(source="./dist", sinks="pypi", projects=["foo<2"])
        assert picked(route, "bar") == ["bar-1.0.tar.gz"]
        assert picked(route, Requirement("foo==2.0")) == ["foo-2.0.tar.gz"]


class TestExpect:
    def test_combines_patterns_sdist_and_count(self):
        expected = Expect(wheels=["cp{311,312}-*-win32"], sdist=True, count=3).expected()
        assert expected.missing_from([dist_file("foo-1.0-cp312-cp312-win32.whl")]) == [
            "cp311-*-win32",
            "sdist",
            "2 of 3 files",
        ]

    def test_reads_build_identifiers_on_use(self, tmp_path):
        expect = Expect.model_validate({"cibuildwheel": "ids.txt"}, context={"base": tmp_path})
        with pytest.raises(ConfigError, match=r"ids\.txt cannot be read: No such file"):
            expect.expected()
        (tmp_path / "ids.txt").write_text("cp312-win32\ncp313-win32  # 32 bit\n")
        assert expect.expected().missing_from([dist_file("foo-1.0-cp312-cp312-win32.whl")]) == ["cp313-win32"]

    def test_malformed_identifier_is_reported_with_its_file(self, tmp_path):
        (tmp_path / "ids.txt").write_text("python3.12 on windows\n")
        with pytest.raises(ConfigError, match=r"ids\.txt: 'python3.12 on windows'"):
            Expect(cibuildwheel=tmp_path / "ids.txt").expected()

    def test_reads_sha256_sums(self, tmp_path):
        (tmp_path / "SHA256SUMS").write_text(f"{SHA256}  foo-1.0.tar.gz\n")
        assert Expect(sha256sums=tmp_path / "SHA256SUMS").sums() == {"foo-1.0.tar.gz": SHA256}
        assert Expect().sums() is None

    def test_refuses_a_binary_file(self, tmp_path):
        (tmp_path / "SHA256SUMS").write_bytes(b"\xff")
        with pytest.raises(ConfigError, match="not UTF-8 text"):
            Expect(sha256sums=tmp_path / "SHA256SUMS").sums()

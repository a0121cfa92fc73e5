"""What the historic `wheel-uploader` did wrong: each fault's old input, and the right outcome."""

import pytest
from tests.servers.web import Reply

from wheelrelay.testing import make_sdist, make_wheel

AGAIN = {"Retry-After": "0"}


def wheel(python, platform, name="sample"):
    return f"{name}-1.0-{python}-{platform}.whl"


@pytest.fixture
def upload(wheel_uploader, pypirc, web, tmp_path):
    """Upload version 1.0 of ``sample`` from a page of the files in ``tmp_path / "container"``."""

    def run(*options, project="sample", page=None):
        url = page or web.serve_folder(tmp_path / "container")
        words = ("-r", "warehouse", "-u", url, "-w", tmp_path / "wheelhouse", *options, project, "1.0")
        return wheel_uploader(*words)

    return run


@pytest.fixture
def arrived(pypiserver):
    """The names of what the index has."""
    return lambda: sorted(path.name for path in pypiserver.folder.iterdir())


@pytest.fixture
def built(tmp_path):
    """Put wheels of these tags, and an sdist, on the page."""

    def make(*tags, name="sample", **options):
        folder = tmp_path / "container"
        make_sdist(folder, name, "1.0")
        return [make_wheel(folder, name, "1.0", tag, **options) for tag in tags]

    return make


def test_wheel_with_build_tag_is_published(upload, built, arrived):
    built("cp36-cp36m-macosx_10_6_intel", build="1")
    assert upload().code == 0
    assert arrived() == ["sample-1.0-1-cp36-cp36m-macosx_10_6_intel.whl"]


def test_any_excludes_manylinux(upload, built, arrived):
    built("py3-none-any", "cp36-cp36m-manylinux1_x86_64")
    assert upload("-t", "any").code == 0
    assert arrived() == ["sample-1.0-py3-none-any.whl"]


def test_win_excludes_darwin(upload, built, arrived):
    built("cp36-cp36m-darwin_x86_64", "cp36-cp36m-win32", "cp36-cp36m-win_amd64")
    assert upload("-t", "win").code == 0
    assert arrived() == [wheel("cp36-cp36m", "win32"), wheel("cp36-cp36m", "win_amd64")]


def test_newer_manylinux_wheels_are_suggested(upload, built, arrived):
    built("cp36-cp36m-manylinux2014_x86_64", "cp36-cp36m-manylinux_2_17_i686", "py3-none-any")
    refused = upload("-t", "manylinux1")
    assert refused.code == 1
    assert "no wheel for manylinux1, but for manylinux2014_x86_64, manylinux_2_17_i686" in refused.err
    assert "-t manylinux`" in refused.err
    assert arrived() == []
    assert upload("-t", "manylinux").code == 0
    assert len(arrived()) == 3


@pytest.mark.parametrize(
    ("type_", "tag"), [("manylinux2014", "manylinux_2_17_x86_64"), ("manylinux_2_5", "manylinux1_i686")]
)
def test_manylinux_aliases_are_equal(upload, built, arrived, type_, tag):
    built(f"cp36-cp36m-{tag}")
    assert upload("-t", type_).code == 0
    assert arrived() == [wheel("cp36-cp36m", tag)]


def test_ios_and_android_are_types(upload, built, arrived):
    built("cp313-cp313-ios_13_0_arm64_iphoneos", "cp313-cp313-android_21_arm64_v8a")
    assert upload("-t", "ios").code == 0
    assert arrived() == [wheel("cp313-cp313", "ios_13_0_arm64_iphoneos")]


def test_local_version_is_skipped(wheel_uploader, web, tmp_path):
    for version in ("1.0", "1.0+cu118"):
        make_wheel(tmp_path / "container", "sample", version, "py3-none-any")
    page = web.serve_folder(tmp_path / "container", at="/wheels/")
    assert wheel_uploader("-n", "-u", page, "-w", tmp_path / "to", "-t", "any", "sample", "1.0").code == 0
    assert [path.name for path in (tmp_path / "to").glob("*.whl")] == ["sample-1.0-py3-none-any.whl"]


@pytest.mark.parametrize("address", ["./container", "127.0.0.1:8000/", "file:///srv/wheels"])
def test_page_must_be_a_web_url(wheel_uploader, tmp_path, address):
    ended = wheel_uploader("-n", "-u", address, "-w", tmp_path / "to", "sample", "1.0")
    assert ended.code == 2
    assert f"-u {address}: not an http or https URL" in ended.err


def test_url_with_query_is_unchanged(wheel_uploader, web, tmp_path):
    make_wheel(tmp_path / "container", "sample", "1.0", "py3-none-any")
    page = web.serve_folder(tmp_path / "container", at="/wheels/")
    wheel_uploader("-n", "-u", f"{page}?all=1", "-w", tmp_path / "to", "-t", "any", "sample", "1.0")
    assert web.paths()[0] == "/wheels/?all=1"


def test_skipped_newer_manylinux_wheels_are_reported(upload, built, arrived):
    built("cp36-cp36m-manylinux1_x86_64", "cp36-cp36m-manylinux2010_x86_64")
    done = upload("-t", "manylinux1")
    assert done.code == 0
    assert "Skipping wheels for manylinux2010_x86_64, which are not manylinux1" in done.err
    assert arrived() == [wheel("cp36-cp36m", "manylinux1_x86_64")]


def test_truncated_link_text_is_accepted(upload, built, arrived, web):
    (path,) = built("cp36-cp36m-macosx_10_6_intel")
    web.serve(f"/short/{path.name}", path)
    page = web.serve("/short/", f'<a href="{path.name}">sample-1.0-cp36-..&gt;</a>')
    assert upload(page=page).code == 0
    assert arrived() == [path.name]


@pytest.mark.parametrize("there", [b"", b"half", b"other bytes of any length"], ids=len)
def test_wheelhouse_file_with_other_contents_is_refused(upload, built, arrived, tmp_path, there):
    (path,) = built("cp36-cp36m-macosx_10_6_intel")
    local = tmp_path / "wheelhouse" / path.name
    local.parent.mkdir()
    local.write_bytes(path.read_bytes()[:100] if there == b"half" else there)
    refused = upload()
    assert refused.code == 3
    assert "has files of the same name with other contents" in refused.err
    assert "--clobber" in refused.err
    assert arrived() == []
    assert upload("-c").code == 0
    assert local.read_bytes() == path.read_bytes()
    assert arrived() == [path.name]


def test_existing_wheel_with_declared_digest_is_not_downloaded(upload, built, arrived, tmp_path, web):
    import hashlib

    (path,) = built("cp36-cp36m-macosx_10_6_intel")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    page = web.serve("/d/", f'<a href="{path.name}#sha256={digest}">w</a>')
    (tmp_path / "wheelhouse").mkdir()
    (tmp_path / "wheelhouse" / path.name).write_bytes(path.read_bytes())
    assert upload(page=page).code == 0
    assert arrived() == [path.name]
    assert set(web.paths()) == {"/d/"}


def test_project_name_is_normalized(upload, built, arrived):
    built("cp36-cp36m-macosx_10_6_intel", name="foo_bar")
    assert upload(project="Foo-Bar").code == 0
    assert arrived() == ["foo_bar-1.0-cp36-cp36m-macosx_10_6_intel.whl"]


def test_project_with_same_prefix_is_ignored(upload, built, arrived):
    built("cp36-cp36m-macosx_10_6_intel")
    built("cp36-cp36m-macosx_10_6_intel", name="sample-helpers")
    assert upload().code == 0
    assert arrived() == [wheel("cp36-cp36m", "macosx_10_6_intel")]


def test_wrong_digest_is_refused(upload, built, arrived, web, tmp_path):
    (path,) = built("cp36-cp36m-macosx_10_6_intel")
    web.serve(f"/d/{path.name}", path)
    page = web.serve("/d/", f'<a href="{path.name}#sha256={"0" * 64}">w</a>')
    refused = upload(page=page)
    assert refused.code == 1
    assert "the bytes have" in refused.err
    assert arrived() == []
    assert not (tmp_path / "wheelhouse").exists()


def test_temporary_failure_is_retried(upload, built, arrived, web):
    (path,) = built("cp36-cp36m-macosx_10_6_intel")
    web.fail("/", Reply(status=503, headers=AGAIN))
    web.fail(f"/{path.name}", Reply(status=503, headers=AGAIN))
    assert upload().code == 0
    assert arrived() == [path.name]


def test_truncated_download_is_retried(upload, built, arrived, web):
    (path,) = built("cp36-cp36m-macosx_10_6_intel", payload=b"x" * 5000)
    web.fail(f"/{path.name}", Reply(path, cut_after=300))
    assert upload().code == 0
    assert arrived() == [path.name]


@pytest.mark.parametrize("platform", ["macosx", "win", "linux", "manylinux", "musllinux", "all", "win_amd64"])
def test_pure_wheels_match_every_type(upload, built, arrived, platform):
    built("py3-none-any")
    assert upload("-t", platform).code == 0
    assert arrived() == ["sample-1.0-py3-none-any.whl"]


@pytest.mark.parametrize(
    ("platform", "taken"),
    [
        ("macosx", ["macosx_10_6_intel"]),
        ("win", ["win32", "win_amd64"]),
        ("win_amd64", ["win_amd64"]),
        ("linux", ["linux_armv7l", "manylinux1_i686", "manylinux_2_17_x86_64", "musllinux_1_2_x86_64"]),
        ("manylinux", ["manylinux1_i686", "manylinux_2_17_x86_64"]),
        ("manylinux1", ["manylinux1_i686"]),
        ("manylinux_2_17", ["manylinux_2_17_x86_64"]),
        ("musllinux", ["musllinux_1_2_x86_64"]),
        ("musllinux_1_2", ["musllinux_1_2_x86_64"]),
    ],
)
def test_types_match_platform_tags(upload, built, arrived, platform, taken):
    every = ("win32", "win_amd64", "macosx_10_6_intel", "linux_armv7l")
    linux = ("manylinux1_i686", "manylinux_2_17_x86_64", "musllinux_1_2_x86_64")
    built(*(f"cp313-cp313t-{tag}" for tag in (*every, *linux)))
    assert upload("-t", platform).code == 0
    assert arrived() == [wheel("cp313-cp313t", tag) for tag in taken]


def test_all_selects_every_wheel_and_no_sdist(upload, built, arrived):
    built("cp36-cp36m-win32", "cp36-cp36m-darwin_x86_64", "py3-none-any")
    assert upload("-t", "all").code == 0
    assert arrived() == [
        wheel("cp36-cp36m", "darwin_x86_64"),
        wheel("cp36-cp36m", "win32"),
        wheel("py3-none", "any"),
    ]


def test_other_wheels_in_the_wheelhouse_are_not_published(upload, built, arrived, tmp_path):
    built("cp36-cp36m-macosx_10_6_intel")
    make_wheel(tmp_path / "wheelhouse", "sample", "1.0", "cp35-cp35m-macosx_10_6_intel")
    assert upload().code == 0
    assert arrived() == [wheel("cp36-cp36m", "macosx_10_6_intel")]


def test_stale_signature_is_replaced(upload, built, pypiserver, tmp_path, keyring):
    key = keyring.new_key("Somebody <somebody@example.org>")
    (path,) = built("cp36-cp36m-macosx_10_6_intel")
    other = make_wheel(tmp_path / "other", "sample", "1.0", "py3-none-any")
    (tmp_path / "wheelhouse").mkdir()
    keyring.sign(other, key=key).rename(tmp_path / "wheelhouse" / f"{path.name}.asc")
    assert upload("-s").code == 0
    signature = (pypiserver.folder / f"{path.name}.asc").read_bytes()
    assert keyring.is_good(path, signature)

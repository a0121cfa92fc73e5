"""Text files that people write are read as their editors and shells save them."""

from pathlib import Path

import pytest

from wheelrelay.config import load_config
from wheelrelay.config.files import read_text
from wheelrelay.errors import ConfigError

CONFIG = '[remotes.staging]\r\ntype = "directory"\r\npath = "dist"\r\n'
ENCODINGS = ["utf-8", "utf-8-sig", "utf-16"]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_reads_what_editors_and_powershell_write(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "sums.txt").write_bytes("größe\r\n".encode(encoding))
    assert read_text(tmp_path / "sums.txt") == "größe\r\n"


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_reads_a_configuration_in_each_of_them(tmp_path: Path, encoding: str) -> None:
    (tmp_path / "wheelrelay.toml").write_bytes(CONFIG.encode(encoding))
    assert load_config(tmp_path / "wheelrelay.toml").remote("staging").name == "staging"


@pytest.mark.parametrize("content", [b"gr\xf6\xdfe", b"\xff\xfe\x00", b"\xff\xfe\x00\xd8"])
def test_names_a_file_in_another_encoding(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "sums.txt").write_bytes(content)
    with pytest.raises(ConfigError, match=r"sums\.txt is not UTF-8 text\. Save it as UTF-8"):
        read_text(tmp_path / "sums.txt")


def test_names_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"missing\.txt cannot be read: No such file"):
        read_text(tmp_path / "missing.txt")

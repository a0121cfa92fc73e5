"""References to secrets are resolved on use, and values are never shown."""

import os
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
from pydantic import BaseModel, ValidationError

from wheelrelay.config import SecretReference, SecretValue, TextOrReference
from wheelrelay.errors import ConfigError, MissingSecret

KEYRING = """
from keyring.backend import KeyringBackend


class Keyring(KeyringBackend):
    priority = 1

    def get_password(self, service, username):
        if service == "locked":
            from keyring.errors import KeyringLocked

            raise KeyringLocked("hunter2")
        return "hunter2" if (service, username) == ("example.org", "ci") else None

    def set_password(self, service, username, password):
        raise NotImplementedError
"""


class Form(BaseModel):
    """A model with a secret field, and one that may be public."""

    secret: SecretReference
    name: TextOrReference = "me"


def value_of(reference, **context):
    return SecretValue(Form.model_validate({"secret": reference}, context=context).secret).get()


def printing(code):
    """Return a reference to the output of a command."""
    return {"command": [sys.executable, "-c", code]}


class TestReferences:
    def test_environment_variable(self, monkeypatch):
        monkeypatch.setenv("TOKEN", "hunter2")
        assert value_of({"env": "TOKEN"}) == "hunter2"

    def test_file_relative_to_the_configuration(self, tmp_path):
        (tmp_path / "token").write_text("hunter2\n")
        assert value_of({"file": "token"}, base=tmp_path) == "hunter2"

    def test_file_in_the_home_directory(self, home):
        (home / "token").write_text("hunter2")
        assert value_of({"file": "~/token"}) == "hunter2"

    def test_output_of_a_command(self):
        assert value_of(printing("print('hunter2')")) == "hunter2"

    def test_keyring(self, keyring):
        assert value_of({"keyring": "example.org", "username": "ci"}) == "hunter2"

    def test_text_is_allowed_in_public_fields(self):
        assert SecretValue(Form(secret={"env": "X"}, name="ci").name).get() == "ci"

    def test_reference_is_allowed_in_public_fields(self, monkeypatch):
        monkeypatch.setenv("NAME", "ci")
        assert SecretValue(Form(secret={"env": "X"}, name={"env": "NAME"}).name).get() == "ci"

    @pytest.mark.parametrize("name", [5, [], {"environment": "NAME"}])
    def test_refuses_other_values_in_public_fields(self, name):
        with pytest.raises(ValidationError, match="neither text nor a reference"):
            Form.model_validate({"secret": {"env": "X"}, "name": name})


@pytest.fixture
def keyring(tmp_path, monkeypatch):
    """A keyring with one secret."""
    import keyring as library

    before = library.get_keyring()
    (tmp_path / "pocket_keyring.py").write_text(KEYRING)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "pocket_keyring.Keyring")
    library.core.init_backend()
    yield
    library.set_keyring(before)


class TestMissing:
    @pytest.mark.parametrize("content", [None, ""])
    def test_unset_or_empty_variable(self, content, monkeypatch):
        if content is not None:
            monkeypatch.setenv("TOKEN", content)
        with pytest.raises(MissingSecret, match="environment variable TOKEN is not set"):
            value_of({"env": "TOKEN"})

    def test_missing_file(self, tmp_path):
        with pytest.raises(MissingSecret, match="token cannot be read: No such file"):
            value_of({"file": "token"}, base=tmp_path)

    def test_empty_file(self, tmp_path):
        (tmp_path / "token").write_text(" \n")
        with pytest.raises(MissingSecret, match="is empty"):
            value_of({"file": "token"}, base=tmp_path)

    def test_command_without_output(self):
        with pytest.raises(MissingSecret, match=r"printed no value \(exit code 0\)"):
            value_of(printing("pass"))

    def test_keyring_without_the_entry(self, keyring):
        with pytest.raises(
            MissingSecret, match=r"no secret for 'me' at 'example.org'. Store it: keyring set"
        ):
            value_of({"keyring": "example.org", "username": "me"})

    def test_machine_without_a_keyring(self, monkeypatch):
        import keyring
        from keyring.backends.fail import Keyring

        before = keyring.get_keyring()
        keyring.set_keyring(Keyring())
        try:
            with pytest.raises(MissingSecret, match="NoKeyringError"):
                value_of({"keyring": "example.org", "username": "me"})
        finally:
            keyring.set_keyring(before)


class TestFailingProviders:
    """A failing provider is an error, not a missing secret: the push must not be skipped."""

    def fails(self, reference, message, **where):
        with pytest.raises(ConfigError, match=message) as caught:
            value_of(reference, **where)
        assert not isinstance(caught.value, MissingSecret)

    def test_binary_file(self, tmp_path):
        (tmp_path / "token").write_bytes(b"\xff")
        self.fails({"file": "token"}, "not UTF-8", base=tmp_path)

    def test_folder_instead_of_a_file(self, tmp_path):
        (tmp_path / "token").mkdir()
        self.fails({"file": "token"}, "cannot be read: Is a directory", base=tmp_path)

    @pytest.mark.parametrize(
        ("code", "message"),
        [
            ("raise SystemExit(3)", r"printed no value \(exit code 3\)"),
            ("print('half of it'); raise SystemExit(3)", r"printed no value \(exit code 3\)"),
            ("import sys; sys.stdout.buffer.write(b'\\xff')", "is not UTF-8"),
        ],
    )
    def test_failing_command(self, code, message):
        self.fails(printing(code), message)

    def test_missing_command(self):
        self.fails(
            {"command": ["no-such-command", "hunter2"]}, "'no-such-command' cannot be run: No such file"
        )

    def test_locked_keyring(self, keyring):
        self.fails({"keyring": "locked", "username": "me"}, r"cannot be read: KeyringLocked\.$")

    @pytest.mark.parametrize("written", [b"\xef\xbb\xbfhunter2", b"hunter2\r\n", b"\xef\xbb\xbfhunter2\n\n"])
    def test_strips_byte_order_mark_and_line_end_of_a_file(self, tmp_path, written):
        (tmp_path / "token").write_bytes(written)
        assert value_of({"file": "token"}, base=tmp_path) == "hunter2"

    def test_strips_byte_order_mark_and_line_end_of_a_variable(self, monkeypatch):
        monkeypatch.setenv("TOKEN", "\ufeffhunter2\r\n")
        assert value_of({"env": "TOKEN"}) == "hunter2"

    def test_refuses_a_line_end_and_names_the_reference(self, monkeypatch, tmp_path):
        monkeypatch.setenv("TOKEN", "hunter2\nhunter3")
        (tmp_path / "token").write_text("hunter2\nhunter3")
        for reference, place in (
            ({"env": "TOKEN"}, "env = 'TOKEN'"),
            ({"file": "token"}, "file = '.*token'"),
        ):
            with pytest.raises(ConfigError, match=f"The secret in {place} contains a line end"):
                value_of(reference, base=tmp_path)

    def test_hides_standard_error_of_a_failing_command(self, capfd):
        with pytest.raises(ConfigError, match="Run it in a terminal"):
            value_of(printing("import sys; sys.exit('hunter2')"))
        assert "hunter2" not in "".join(capfd.readouterr())

    def test_refuses_a_value_that_would_break_a_header(self, monkeypatch):
        monkeypatch.setenv("TOKEN", "hunter2\r\nX-Evil: 1")
        with pytest.raises(ConfigError, match="line end or another control character") as caught:
            value_of({"env": "TOKEN"})
        assert "hunter2" not in str(caught.value)


class TestValues:
    def test_value_is_never_shown(self, monkeypatch):
        monkeypatch.setenv("TOKEN", "hunter2")
        form = Form(secret={"env": "TOKEN"})
        value = SecretValue(form.secret)
        assert value.get() == "hunter2"
        assert "hunter2" not in f"{value} {value!r} {form!r} {form.model_dump()} {vars(form)}"

    def test_pickles_only_the_reference(self, monkeypatch):
        monkeypatch.setenv("TOKEN", "hunter2")
        value = SecretValue(Form(secret={"env": "TOKEN"}).secret)
        value.get()
        pickled = pickle.dumps(value)
        assert b"hunter2" not in pickled
        monkeypatch.setenv("TOKEN", "of the other machine")
        assert pickle.loads(pickled).get() == "of the other machine"

    def test_resolves_once_for_all_threads(self, tmp_path):
        calls = tmp_path / "calls"
        slow = f"import time; open({str(calls)!r}, 'a').write('x'); time.sleep(0.2); print('hunter2')"
        value = SecretValue(Form.model_validate({"secret": printing(slow)}).secret)
        assert not calls.exists()
        with ThreadPoolExecutor(8) as pool:
            assert set(pool.map(lambda _: value.get(), range(8))) == {"hunter2"}
        assert calls.read_text() == "x"

    def test_resolves_again_after_renew(self, monkeypatch):
        monkeypatch.setenv("TOKEN", "old")
        value = SecretValue(Form(secret={"env": "TOKEN"}).secret)
        assert value.get() == "old"
        os.environ["TOKEN"] = "new"
        assert value.get() == "old"
        value.renew()
        assert value.get() == "new"

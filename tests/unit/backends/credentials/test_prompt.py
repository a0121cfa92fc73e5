"""Passwords and tokens are entered at a prompt."""

import os
import subprocess
import sys

from tests.unit.backends.credentials.surroundings import login_of, netrc


class TestPrompt:
    """Run in a process of its own that has a terminal."""

    CODE = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from pathlib import Path
from wheelrelay.backends.index import IndexConfig, PyPIConfig, TestPyPIConfig
from wheelrelay.testing import make_wheel, stage_path
config = eval(sys.argv[1])
with config.named("company-eu").open() as index:
    index.make_ready()
    print("READY")
    if sys.argv[2]:
        index.put(stage_path(make_wheel(Path(sys.argv[2]), "sample", "1.0")))
"""

    def dialogue(self, config, folder="", *, typed=""):
        """All that the terminal shows; ``typed`` and a line end are typed when it asks for something."""
        ours, theirs = os.openpty()
        command = [sys.executable, "-c", self.CODE, config, str(folder)]
        with subprocess.Popen(
            command, stdin=theirs, stdout=theirs, stderr=theirs, start_new_session=True
        ) as process:
            os.close(theirs)
            shown = b""
            while block := _read_terminal(ours):
                shown += block
                if block.endswith(b": "):
                    os.write(ours, f"{typed}\n".encode())
            os.close(ours)
            process.wait()
        return shown.decode()

    def config(self, around, **keys):
        addresses = {"url": around.index.simple_url, "upload_url": around.index.upload_url}
        return f"IndexConfig(**{ ({**addresses, **keys})!r})"

    def test_prompts_for_a_token_for_pypi(self):
        shown = self.dialogue("PyPIConfig()", typed="pypi-secret")
        assert "API token for 'company-eu', https://" in shown
        assert "READY" in shown

    def test_empty_prompt_is_missing_credentials(self):
        shown = self.dialogue("PyPIConfig()")
        assert "READY" not in shown
        assert "MissingSecret" in shown
        assert "nothing was entered" in shown

    def test_prompts_for_the_password_of_a_known_user(self, around, tmp_path):
        shown = self.dialogue(self.config(around, username="ci"), tmp_path, typed="ci's")
        assert "Password of ci for 'company-eu'" in shown
        assert login_of(around.index.requests[-1].headers["authorization"]) == ("ci", "ci's")

    def test_wrong_password_is_not_prompted_for_again(self, around, tmp_path):
        around.index.status_for_bad_tokens = 401
        shown = self.dialogue(self.config(around, username="ci"), tmp_path, typed="wrong")
        assert shown.count("Password of ci") == 1
        assert "The credentials come from the prompt." in shown

    def test_no_prompt_if_a_provider_has_credentials(self, around, tmp_path):
        netrc(around)
        shown = self.dialogue(self.config(around, username="netrc"), tmp_path)
        assert "Password" not in shown
        assert login_of(around.index.requests[-1].headers["authorization"]) == ("netrc", "netrc's")

    def test_no_prompt_if_the_index_accepts_anonymous_uploads(self, around):
        shown = self.dialogue(self.config(around))
        assert "READY" in shown
        assert " for " not in shown


def _read_terminal(terminal):
    try:
        return os.read(terminal, 1 << 16)
    except OSError:  # how Linux says that nobody has it open any more
        return b""

"""What the README shows runs as it is written: three machines with TLS are processes of this machine."""

import json
import os
import re
import shlex
import subprocess
import sys
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from tests.servers.dask import start_process
from tests.servers.process import script
from tests.servers.seaweed import run_seaweed
from tests.servers.shared import shared

import wheelrelay
from wheelrelay_dask import DaskConfig

README = Path(__file__).parents[1] / "README.md"
TEXT = README.read_text(encoding="utf-8")
INSTALLED_AT = "/etc/wheelrelay"
WORKERS = ("worker1", "worker2")


def blocks(language, *, after):
    """Return the code blocks of a language after a line."""
    _, found, rest = TEXT.partition(f"\n{after}")
    assert found, after
    return re.findall(rf"^```{language}\n(.*?)^```$", rest, re.DOTALL | re.MULTILINE)


def test_table_has_every_key_and_its_default():
    rows = re.findall(r"^\| (`.*?`) \|.*$", TEXT.partition("## Keys")[2], re.MULTILINE)
    assert set(re.findall(r"`(\w+)`", " ".join(rows))) == DaskConfig.model_fields.keys() - {"type"}
    default = DaskConfig(workers=1)
    assert default.connect_timeout.total_seconds() == 30
    assert (default.batch_files, default.batch_size, default.host_limit) == (500, 2 << 30, None)
    assert "[default: 500 and 2 GiB]" in TEXT
    assert "[default: 30s]" in TEXT


@pytest.mark.long
def test_example_of_a_script_runs(source, tmp_path):
    config = blocks("toml", after="## Several processes")[0]
    route = f'[routes.mirror]\nsource = "listing+{source.url}"\nsinks = ["out"]\nmode = "mirror"\n'
    out = '[remotes.out]\ntype = "directory"\npath = "out"\n'
    (tmp_path / "wheelrelay.toml").write_text(config + route + out)
    (tmp_path / "run.py").write_text(blocks("python", after="## Several processes")[0])
    subprocess.run([sys.executable, "run.py"], cwd=tmp_path, check=True, timeout=120)
    assert len(list((tmp_path / "out").glob("*.whl"))) == 12


@pytest.fixture(scope="module")
def seaweed(request):
    return shared(request, run_seaweed)


@pytest.fixture
def bucket(seaweed):
    return seaweed.new_bucket()


@pytest.fixture
def environment(seaweed, monkeypatch):
    """The secrets of the bucket, where the command and where the workers run."""
    monkeypatch.setenv("WHEELS_KEY", seaweed.access_key_id)
    monkeypatch.setenv("WHEELS_SECRET", seaweed.secret_access_key)


@pytest.fixture
def etc(tmp_path):
    """The folder with the certificates, made by the commands of the README."""
    folder = tmp_path / "etc"
    folder.mkdir()
    make = next(block for block in blocks("", after="**2. Certificates.**") if "openssl" in block)
    subprocess.run(["bash", "-euc", make], cwd=folder, check=True, capture_output=True)
    return folder


def commands(etc, port):
    """Return the commands that start the scheduler and each worker, for this machine."""
    block = blocks("", after="**3. Start the cluster.**")[0]
    scheduler, worker = [line for line in block.replace("\\\n", " ").splitlines() if line.startswith("dask ")]
    for name in ("scheduler", *WORKERS):
        text = (scheduler if name == "scheduler" else worker).replace(INSTALLED_AT, str(etc))
        text = text.replace("//scheduler:8786", f"//127.0.0.1:{port}").replace(
            "--port 8786", f"--port {port}"
        )
        arguments = shlex.split(text.replace(WORKERS[0], name))[1:]
        yield [script("dask"), *arguments, "--host", "127.0.0.1"]


@contextmanager
def three_machines(etc, port, folder):
    """Run the scheduler and the workers, each in its own process, as the README starts them."""
    with ExitStack() as stack:
        for number, command in enumerate(commands(etc, port)):
            started = start_process(stack, folder, command)
            started.stderr_line("Registered to:" if number else "Scheduler at:")
        yield


@pytest.fixture
def config(seaweed, bucket, etc, unused_port, source, tmp_path):
    """The configurations of the README, for places of this machine."""
    text = next(block for block in blocks("toml", after="**4. Configure") if "[engines.farm]" in block)
    text += blocks("toml", after="### Shared directories")[0]
    server = f'bucket = "{bucket}"\nendpoint_url = "{seaweed.url}"\nregion = "{seaweed.region}"\n'
    changes = {
        INSTALLED_AT: str(etc),
        "//scheduler:8786": f"//127.0.0.1:{unused_port}",
        "/net/wheels": str(tmp_path / "net"),
        'bucket = "wheels"\n': server,
        'source = "pypi"': f'source = "listing+{source.url}"',
        'projects = ["numpy", "scipy"]\n': "",
    }
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    path = tmp_path / "wheelrelay.toml"
    path.write_text(f'{text}[routes.share]\nsource = "mirror"\nsinks = ["wheelhouse"]\nmode = "mirror"\n')
    return path


@pytest.mark.long
def test_three_machines_mirror_and_verify(environment, config, etc, unused_port, tmp_path):
    relay, verify = blocks("", after="**6. Run it.**")[0].splitlines()
    with three_machines(etc, unused_port, tmp_path):
        for command in (relay, verify, "wheelrelay relay share --engine farm"):
            done = run(command, tmp_path)
            assert done.returncode == 0, done.stderr
    receipt = json.loads((tmp_path / "receipt.json").read_text())
    assert receipt["complete"]
    assert {"wheelrelay-dask", "wheelrelay-s3"} <= receipt["versions"].keys()
    assert len(receipt["files"]) == 24
    for name in ("mirror", "wheelhouse"):
        remote = wheelrelay.load_config(config).remote(name)
        assert len(wheelrelay.list_files(remote)) == 24
        assert wheelrelay.check_index(remote) == []


def run(command, folder):
    """Run a command of the README."""
    name, *arguments = shlex.split(command)
    assert name == "wheelrelay"
    return subprocess.run(
        [sys.executable, "-m", "wheelrelay", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=180,
        env=dict(os.environ),
    )

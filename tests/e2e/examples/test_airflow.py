"""The DAG for Airflow: its tasks run in the order that it declares, and mirror all files."""

import json
import os
import runpy
import subprocess
import sys
import types
from pathlib import Path

import pytest
from tests.servers.process import script

from wheelrelay.testing import make_wheel

EXAMPLE = Path(__file__).parents[3] / "examples" / "airflow"


class Operators(list):
    """The tasks of a DAG, as the classes of Airflow receive them."""

    def modules(self):
        """Return the modules that the DAG imports."""
        collected = self

        class DAG:
            def __init__(self, name, **options):
                self.options = options

            def __enter__(self):
                collected.defaults = self.options["default_args"]
                return self

            def __exit__(self, *_):
                pass

        class BashOperator:
            def __init__(self, *, task_id, bash_command, trigger_rule="all_success"):
                self.name, self.command, self.rule = task_id, bash_command, trigger_rule
                self.after = []
                collected.append(self)

            def __rrshift__(self, others):
                self.after += others if isinstance(others, list) else [others]
                return self

            def __rshift__(self, other):
                other.after.append(self)
                return other

        sdk, bash = types.ModuleType("airflow.sdk"), types.ModuleType("bash")
        sdk.DAG, bash.BashOperator = DAG, BashOperator
        return {"airflow.sdk": sdk, "airflow.providers.standard.operators.bash": bash}


@pytest.fixture
def tasks(monkeypatch):
    operators = Operators()
    parents = [
        "airflow",
        "airflow.providers",
        "airflow.providers.standard",
        "airflow.providers.standard.operators",
    ]
    for name in parents:
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    for name, module in operators.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    runpy.run_path(str(EXAMPLE / "mirror.py"))
    return operators


@pytest.fixture
def folder(tmp_path):
    """The folder of the example, with a directory as its source."""
    config = (EXAMPLE / "wheelrelay.toml").read_text()
    config = config.replace("/srv/mirror/wheels", "wheels").replace('source = "pypi"', 'source = "./dist"')
    (tmp_path / "wheelrelay.toml").write_text(config.replace('min_age = "7d"\n', ""))
    for project, version in (("numpy", "2.1"), ("pandas", "3.0"), ("scipy", "1.16"), ("numpy", "1.26")):
        make_wheel(tmp_path / "dist", project, version)
    return tmp_path


def run(task, folder):
    path = os.pathsep.join([str(Path(script("wheelrelay")).parent), os.environ["PATH"]])
    return subprocess.run(
        ["bash", "-c", task.command],
        cwd=folder,
        env={**os.environ, "PATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


def test_tasks_follow_each_other(tasks):
    by_name = {task.name: task for task in tasks}
    assert list(by_name) == ["shard_1", "shard_2", "shard_3", "shard_4", "merge", "verify"]
    assert [task.name for task in by_name["merge"].after] == ["shard_1", "shard_2", "shard_3", "shard_4"]
    assert [task.name for task in by_name["verify"].after] == ["merge"]
    assert by_name["merge"].rule == "all_done"
    assert tasks.defaults["cwd"] == "/srv/mirror"


def test_tasks_mirror_all_files_and_merge_the_receipts(tasks, folder):
    for task in tasks:
        ended = run(task, folder)
        assert ended.returncode == 0, f"{task.name}: {ended.stderr}"
    names = {path.name for path in (folder / "wheels").glob("*.whl")}
    assert names == {f"{name}-py3-none-any.whl" for name in ("numpy-2.1", "pandas-3.0", "scipy-1.16")}
    receipt = json.loads((folder / "receipt.json").read_text())
    assert receipt["complete"]
    assert {file["filename"] for file in receipt["files"]} == names


def test_a_missing_shard_is_reported(tasks, folder):
    for task in tasks:
        if task.name not in ("shard_2", "merge", "verify"):
            run(task, folder)
    (merge,) = (task for task in tasks if task.name == "merge")
    assert run(merge, folder).returncode != 0

"""Mirror an index every night with Apache Airflow: one task for each shard, and one merged receipt.

The file is for Airflow 3. wheelrelay and the plugins of the remotes are installed on the workers of Airflow.
"""

from datetime import datetime, timedelta

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG

SHARDS = 4
FOLDER = "/srv/mirror"
"""The folder with ``wheelrelay.toml``, which all workers of Airflow can read and write."""

with DAG(
    "mirror",
    schedule="@daily",
    start_date=datetime(2026, 1, 1),  # in UTC, unless Airflow is configured otherwise
    catchup=False,
    max_active_runs=1,
    default_args={"cwd": FOLDER, "retries": 2, "retry_delay": timedelta(minutes=5)},
):
    shards = [
        BashOperator(
            task_id=f"shard_{number}",
            bash_command=f"wheelrelay relay mirror --yes --shard {number}/{SHARDS} "
            f"--receipt shard-{number}.json",
        )
        for number in range(1, SHARDS + 1)
    ]
    receipts = " ".join(f"shard-{number}.json" for number in range(1, SHARDS + 1))
    merge = BashOperator(
        task_id="merge",
        bash_command=f"wheelrelay receipt merge {receipts} -o receipt.json",
        trigger_rule="all_done",  # the receipt of a failed mirror is needed most
    )
    verify = BashOperator(task_id="verify", bash_command="wheelrelay verify mirror")
    shards >> merge >> verify

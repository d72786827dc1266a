"""The house's code location: partitions by day and bucket, and each half hour what is due, over Dask's workers.

``HRVHOUSE_HOME`` is the folder of the buckets' stores; ``HRVHOUSE_DASK`` the address of a Dask scheduler, else two
workers on this machine. A bucket that is made later is seen when the location is loaded again.
"""

import os
from pathlib import Path

import dagster as dg
from dagster_dask import dask_executor

from orchestrator.house.assets import House, bucket_day, house_day
from orchestrator.house.buckets import held_buckets

house = House(home=dg.EnvVar("HRVHOUSE_HOME"))
address = os.environ.get("HRVHOUSE_DASK")
here = {"n_workers": 2, "threads_per_worker": 1, "host": "127.0.0.1", "dashboard_address": None}
cluster = {"existing": {"address": address}} if address else {"local": here}
buckets = held_buckets(Path(os.environ.get("HRVHOUSE_HOME", ".")))
job = house_day(dask_executor.configured({"cluster": cluster}), house, buckets)


@dg.schedule(
    job=job,
    cron_schedule="*/30 * * * *",
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
)
def what_is_due(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
    """Each bucket asks itself what is due for its members; a slot is issued at most once, however often this asks."""
    return dg.RunRequest(partition_key=context.scheduled_execution_time.date().isoformat())


defs = dg.Definitions(assets=[bucket_day], jobs=[job], schedules=[what_is_due], resources={"house": house})

"""The day of a house: an asset by day and bucket, and a job that does all buckets of a day over workers."""

import json
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg

from orchestrator.errors import StepFailed
from orchestrator.house.buckets import bucket_home, bucket_names
from orchestrator.partitions import WAKE_DAYS
from orchestrator.rooms import quiet_environment

__all__ = ["House", "bucket_day", "house_day"]

BY_DAY_AND_BUCKET = dg.MultiPartitionsDefinition(
    {"day": WAKE_DAYS, "bucket": dg.StaticPartitionsDefinition(bucket_names())}
)
STILL_LIVE = timedelta(days=1)


class House(dg.ConfigurableResource):
    """Where the buckets' stores are, and the command that does a bucket's day (for a day of long ago: the other one).

    Attributes
    ----------
    live, past : list of str
        Arguments of ``python -m``; ``{day}`` stands for the wake day.
    """

    home: str
    live: list[str] = ["orchestrator", "daily", "--if-due", "--json"]
    past: list[str] = ["orchestrator", "backfill", "{day}..{day}", "--json"]

    def do(self, bucket: str, day: date) -> dict:
        """Do a bucket's day: what is due now, or the replay of a day that is over.

        Raises
        ------
        StepFailed
            The command failed; its own words are in the message.
        """
        home = bucket_home(Path(self.home), bucket)
        if not home.is_dir():
            return {"bucket": bucket, "members": 0}
        over = datetime.now(UTC).date() - day > STILL_LIVE
        arguments = [part.format(day=day.isoformat()) for part in (self.past if over else self.live)]
        done = subprocess.run(
            [sys.executable, "-m", *arguments],
            env={**quiet_environment(), "HRV_HOME": str(home), "HRV_ALL_MEMBERS": "true"},
            capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        if done.returncode != 0:
            raise StepFailed(f"bucket {bucket}: {(done.stderr or done.stdout).strip()[-500:]}")
        return {"bucket": bucket, **json.loads(done.stdout or "{}")}


@dg.asset(partitions_def=BY_DAY_AND_BUCKET, group_name="house", pool="bucket")
def bucket_day(context: dg.AssetExecutionContext, house: House) -> dg.MaterializeResult:
    """One bucket's day: a partition each, so that what failed is seen and done again alone."""
    keys = context.partition_key.keys_by_dimension
    told = house.do(keys["bucket"], date.fromisoformat(keys["day"]))
    return dg.MaterializeResult(metadata={"answer": dg.MetadataValue.json(told)})


def house_day(executor: dg.ExecutorDefinition, house: House, buckets: Sequence[str]) -> dg.JobDefinition:
    """The job of a day: a step for each bucket, side by side, on an executor of Dagster's own set.

    Steps are known beforehand and not mapped at run time: Dask's executor takes no dynamic ones.
    """

    @dg.graph
    def house_graph() -> None:
        for bucket in buckets:
            _step_of(bucket)()

    return house_graph.to_job(
        name="house_day", executor_def=executor, resource_defs={"house": house}, partitions_def=WAKE_DAYS
    )


def _step_of(bucket: str) -> dg.OpDefinition:
    @dg.op(name=f"bucket_{bucket}", out=dg.Out(dg.Nothing))
    def do_bucket(context: dg.OpExecutionContext, house: House) -> None:
        """One bucket's day, wherever the executor puts it."""
        told = house.do(bucket, date.fromisoformat(context.partition_key))
        context.log.info(json.dumps(told)[:2000])

    return do_bucket

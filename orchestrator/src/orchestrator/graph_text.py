"""The graph in words: what the snapshot test holds and `hrv graph` prints."""

from __future__ import annotations

__all__ = ["graph_text"]


def graph_text() -> str:
    """Every asset with its parents, partition and checks; every job, schedule and sensor."""
    from orchestrator.definitions import defs

    graph = defs.resolve_asset_graph()
    lines = ["assets"]
    for key in sorted(graph.get_all_asset_keys(), key=lambda k: k.to_user_string()):
        node = graph.get(key)
        days = "  by wake day" if node.partitions_def is not None else ""
        lines.append(f"  {node.group_name}/{key.to_user_string()}{days}")
        lines += [f"    rests on {parent.to_user_string()}" for parent in sorted(node.parent_keys)]
    lines.append("checks")
    for key in sorted(graph.asset_check_keys, key=str):
        blocks = "  blocks" if graph.get(key).blocking else ""
        lines.append(f"  {key.asset_key.to_user_string()}: {key.name}{blocks}")
    lines.append("jobs")
    for job in sorted(defs.jobs, key=lambda j: j.name):
        resolved = defs.resolve_job_def(job.name)
        lines.append(f"  {job.name}: {', '.join(sorted(resolved.graph.node_dict))}")
    lines.append("sensors")
    for sensor in sorted(defs.sensors, key=lambda s: s.name):
        lines.append(f"  {sensor.name} -> {sensor.job_name}, every {sensor.minimum_interval_seconds} s, "
                     f"{sensor.default_status.value}")  # fmt: skip
    lines.append("schedules")
    for schedule in sorted(defs.schedules, key=lambda s: s.name):
        when, status = schedule.cron_schedule, schedule.default_status.value
        lines.append(f"  {schedule.name} -> {schedule.job_name}, {when}, {status}")
    return "\n".join(lines)

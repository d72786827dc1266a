"""Dagster's page on a Unix socket: ``python -m orchestrator.up.dagster_page SOCKET``.

Its own command serves on a port only, and every program and every web site on this machine can reach a port.
"""

from __future__ import annotations

import os
import sys
import warnings

from hrv_shared.settings import load_settings
from orchestrator.instance import dagster_home
from orchestrator.rooms import quiet_environment

__all__ = ["serve"]

PREFIX = "/dagster"


def serve(socket: str) -> None:
    """Serve until SIGTERM."""
    os.environ.update(quiet_environment())
    warnings.simplefilter("ignore")
    import dagster as dg
    import uvicorn
    from dagster._core.workspace.context import WorkspaceProcessContext
    from dagster._core.workspace.load_target import ModuleTarget
    from dagster_webserver.app import create_app_from_workspace_process_context

    home = dagster_home(load_settings().home)
    os.environ["DAGSTER_HOME"] = str(home)
    target = ModuleTarget(
        "orchestrator.definitions", attribute=None, working_directory=None, location_name=None
    )
    with (
        dg.DagsterInstance.from_config(str(home)) as instance,
        WorkspaceProcessContext(instance, target, code_server_log_level="warning") as workspace,
    ):
        app = create_app_from_workspace_process_context(workspace, path_prefix=PREFIX)
        config = uvicorn.Config(
            app, uds=socket, log_level="warning", access_log=False, timeout_graceful_shutdown=3, ws="none"
        )
        uvicorn.Server(config).run()


if __name__ == "__main__":
    serve(sys.argv[1])

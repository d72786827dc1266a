"""A simulated WHOOP: synthetic members with known truth, a recorded real person, and the HTTP service around them."""

from whoop_api_client.simulator.cohort import SyntheticMember, make_cohort, make_member
from whoop_api_client.simulator.errors import BadMemberRequest, BadPersonFile, SimulatorError
from whoop_api_client.simulator.faults import Fault
from whoop_api_client.simulator.home_zone import demo_offset
from whoop_api_client.simulator.real_person import load_person
from whoop_api_client.simulator.server import RunningSimulator, create_app, running, serve
from whoop_api_client.simulator.simulator_config import ALL_SCOPES, SimulatorConfig
from whoop_api_client.simulator.world import Presentation, World

__all__ = [
    "ALL_SCOPES",
    "BadMemberRequest",
    "BadPersonFile",
    "Fault",
    "Presentation",
    "RunningSimulator",
    "SimulatorConfig",
    "SimulatorError",
    "SyntheticMember",
    "World",
    "create_app",
    "demo_offset",
    "load_person",
    "make_cohort",
    "make_member",
    "running",
    "serve",
]

"""A simulated WHOOP: synthetic members with known truth, a recorded real person, and the HTTP service around them."""

from whoop_api_client.simulator.cohort import SyntheticMember, make_cohort, make_member
from whoop_api_client.simulator.errors import BadMemberRequest, BadOption, BadPersonFile, SimulatorError
from whoop_api_client.simulator.faults import FAULT_KINDS, Fault
from whoop_api_client.simulator.happenings import Happenings
from whoop_api_client.simulator.home_zone import demo_offset
from whoop_api_client.simulator.options import PRESETS, Settings, known_options, read_settings
from whoop_api_client.simulator.real_person import load_person
from whoop_api_client.simulator.recorded_answers import load_account, load_answers
from whoop_api_client.simulator.server import RunningSimulator, create_app, running, serve
from whoop_api_client.simulator.simulator_config import ALL_SCOPES, SimulatorConfig
from whoop_api_client.simulator.webhook_plan import WebhookPlan, sign
from whoop_api_client.simulator.world import Presentation, World

__all__ = [
    "ALL_SCOPES",
    "FAULT_KINDS",
    "PRESETS",
    "BadMemberRequest",
    "BadOption",
    "BadPersonFile",
    "Fault",
    "Happenings",
    "Presentation",
    "RunningSimulator",
    "Settings",
    "SimulatorConfig",
    "SimulatorError",
    "SyntheticMember",
    "WebhookPlan",
    "World",
    "create_app",
    "demo_offset",
    "known_options",
    "load_account",
    "load_answers",
    "load_person",
    "make_cohort",
    "make_member",
    "read_settings",
    "running",
    "serve",
    "sign",
]

"""Names that people write, readable without loading the compiled loops behind them."""

from topologies.plugin_names import PluginNames

ROUTER_NAMES = PluginNames("fabric.routers")
OBJECTIVE_NAMES = PluginNames("fabric.optimise.objectives")
DEFAULT_ROUTER = "ecmp"
DEFAULT_OBJECTIVE = "min-max-utilisation"
DEFAULT_SPRAY_EFFICIENCY = 0.92  # the worst flow of packet simulations of spraying takes 1.09 of its ideal time
GIVEN_PATHS = "k-shortest"  # the policy whose paths are counted
PATH_POLICIES = ("any", "shortest", GIVEN_PATHS, "valley-free")
PACKETS, FLOWLETS, WHOLE_FLOWS = GRANULARITIES = (
    "packet",
    "flowlet",
    "flow",
)  # what adaptive routing chooses a next hop for
DEFAULT_FLOWLET_BYTES = (
    500e3  # half of the bytes are in flowlets up to this, with a gap of 500 us (CONGA, section 2.6.1)
)
HASH_FIELDS = ("src_ip", "dst_ip", "proto", "src_port", "dst_port")
HASH_FUNCTIONS = ("random", "crc16", "crc32", "xor")


def router_names() -> tuple[str, ...]:
    """Every router there is at this moment, sorted."""
    return ROUTER_NAMES.all()


def objective_names() -> tuple[str, ...]:
    """Every objective of optimal routing there is at this moment, sorted."""
    return OBJECTIVE_NAMES.all()

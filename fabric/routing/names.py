"""Names that people write, readable without loading the compiled loops behind them; a new file is a new name."""

from topologies.plugin_folder import file_names

ROUTERS = file_names("fabric.routers")
OBJECTIVES = file_names("fabric.optimise.objectives")
PATH_POLICIES = ("any", "shortest", "k-shortest", "valley-free")
HASH_FIELDS = ("src_ip", "dst_ip", "proto", "src_port", "dst_port")
HASH_FUNCTIONS = ("random", "crc16", "crc32", "xor")

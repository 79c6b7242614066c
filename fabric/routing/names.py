"""Names that people write, readable without loading the compiled loops behind them; a new file is a new name."""

from pathlib import Path

_FABRIC = Path(__file__).resolve().parents[1]


def _files(folder: str) -> tuple[str, ...]:
    """Names of the modules in a folder of the package, as people write them."""
    stems = (found.stem for found in (_FABRIC / folder).glob("*.py") if not found.stem.startswith("_"))
    return tuple(sorted(stem.replace("_", "-") for stem in stems))


ROUTERS = _files("routers")
OBJECTIVES = _files("optimise/objectives")
PATH_POLICIES = ("any", "shortest", "k-shortest", "valley-free")
HASH_FIELDS = ("src_ip", "dst_ip", "proto", "src_port", "dst_port")
HASH_FUNCTIONS = ("random", "crc16", "crc32", "xor")

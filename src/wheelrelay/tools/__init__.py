"""Other programs that wheelrelay runs: uv, pip, and commands of a route.

They get no secrets: only the variables of the environment that programs need (`clean_environment`), and the
credentials of an index where that is their purpose. Their time and their output are limited, and they end
with all their child processes.
"""

from wheelrelay.tools.environment import clean_environment, foreign_environment
from wheelrelay.tools.processes import Ended, run_limited
from wheelrelay.tools.uv import PackageIndexes, find_uv

__all__ = ["Ended", "PackageIndexes", "clean_environment", "find_uv", "foreign_environment", "run_limited"]

"""The machine file, `standin.toml`: where a run happens and with what, which no manifest says and no job id knows.

Here it is found, read and checked. What a backend does with its settings is said in `backends`.
"""

from standin_batch.machine.loader import MachineFileError, load_machine
from standin_batch.machine.settings import BACKENDS, LOCAL, RAY, SLURM, MachineFile, RayOptions, SlurmOptions

__all__ = [
    "BACKENDS",
    "LOCAL",
    "RAY",
    "SLURM",
    "MachineFile",
    "MachineFileError",
    "RayOptions",
    "SlurmOptions",
    "load_machine",
]

"""Training: `loop.fit` is the loop, the files beside it are its parts.

`batches`, `players` (networks and optimisers), `record` (history), `snapshots`, `schedules`,
`averaging`; `saving` with `identity` (which run is it?), `fingerprints`, `code_reading`, `state`
and `checkpoints` (the file). `pixels` is the other loop, over the pixels of one image.
"""

from .averaging import update_ema
from .loop import fit
from .players import Optimiser
from .record import READ_BACK_EVERY, RUNAWAY
from .run import Diverged, Run
from .schedules import constant, cosine, late_linear

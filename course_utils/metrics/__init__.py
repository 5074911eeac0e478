"""How good a model is, as numbers: one file a subject.

Models are given as objects with `encode(x) -> (mu, logvar)` and a `decoder(z) -> logits`, as in
`course_utils.models`. Images for a likelihood must be binary (`binarise`): a Bernoulli decoder
gives probabilities to black and white, and only there is the ELBO a lower bound.
"""

from .codes import (
    active_units,
    jacobian_norm,
    linear_probe,
    mutual_information,
    mutual_information_gap,
    nearest_code_distance,
    normalised_information,
    principal_angles,
    prior_coverage,
)
from .distributions import HIGH_QUALITY, coverage, frechet_distance
from .images import psnr, sharpness, squared_error, ssim
from .likelihood import (
    binarise,
    code_grid,
    elbo,
    importance_weighted_elbo,
    log_joint,
    log_joint_on_grid,
    log_weights,
)

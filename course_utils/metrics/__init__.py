"""How good a model is, as numbers, one file per subject.

Open `likelihood` for the ELBO of a VAE, `codes` for what its latent dimensions carry, `images` for
PSNR, SSIM and sharpness, `distributions` for modes, density, coverage and the Fréchet distance,
`intervals` for how sure a figure is, and `retrieval` for nearest neighbours and average precision.

Models are given as objects with `encode(x) -> (mu, logvar)` and a `decoder(z) -> logits`, as in
`course_utils.models`. Images for a likelihood must be binary (`binarise`): a Bernoulli decoder
gives probabilities to black and white only, and only for these is the ELBO a lower bound.
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
from .distributions import HIGH_QUALITY, coverage, density_and_coverage, frechet_distance
from .images import psnr, sharpness, squared_error, ssim
from .intervals import bootstrap_difference, bootstrap_mean, wilson_interval
from .likelihood import (
    binarise,
    code_grid,
    elbo,
    importance_weighted_elbo,
    log_joint,
    log_joint_on_grid,
    log_weights,
)

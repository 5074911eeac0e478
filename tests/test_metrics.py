"""Measures, each on cases whose value is known."""

import math

import pytest
import torch
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.linear_model import Ridge

from course_utils import losses, metrics, models
from course_utils.data import mixtures


def test_binarise_is_binary_repeatable_and_right_on_average():
    grey = torch.full((2000, 1, 4, 4), 0.3)
    binary = metrics.binarise(grey, seed=4)
    assert set(binary.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(binary, metrics.binarise(grey, seed=4))
    assert binary.mean().item() == pytest.approx(0.3, abs=0.02)


def test_bounds_tighten_towards_the_integral():
    torch.manual_seed(0)
    vae = models.VariationalAutoencoder(2, hidden=16, shape=(1, 8, 8)).eval()
    x = metrics.binarise(torch.rand(5, 1, 8, 8), seed=1)
    _, log_joint, log_cell = metrics.log_joint_on_grid(vae, x, extent=6, steps=241)
    evidence = (log_joint + log_cell).logsumexp(1)
    plain = metrics.elbo(vae, x, draws=2000)
    tight = metrics.importance_weighted_elbo(vae, x, draws=5000)
    assert (plain < evidence + 0.02).all()
    assert (plain <= tight + 0.02).all()
    assert torch.allclose(tight, evidence, atol=0.05)


def test_active_units_counts_what_moves():
    mu = torch.randn(1000, 3) * torch.tensor([1.0, 0.05, 0.5]) + 7
    assert metrics.active_units(mu).tolist() == [True, False, True]


def test_sharpness_is_the_squared_variation_of_every_image():
    images = torch.rand(4, 3, 5, 7)
    assert torch.allclose(metrics.sharpness(images), losses.squared_variation(images))


def test_prior_coverage_of_the_prior_itself_and_of_islands():
    mu = torch.zeros(10, 2)
    within = 1 - math.exp(-2)  # the mass of a 2-D Gaussian within 2σ
    assert metrics.prior_coverage(mu, torch.zeros(10, 2)) == pytest.approx(within, abs=0.04)
    assert metrics.prior_coverage(torch.full((10, 2), 20.0), torch.full((10, 2), -8.0)) == 0


def test_gap_in_sigmas_of_an_even_line():
    mu = torch.stack([torch.arange(50) * 0.6, torch.zeros(50)], dim=1)
    logvar = torch.full((50, 2), 2 * math.log(0.2))
    assert metrics.nearest_code_distance(mu, logvar) == pytest.approx(3.0, rel=1e-3)


def test_mutual_information_knows_copies_from_noise():
    torch.manual_seed(0)
    factor = torch.rand(20_000, 1)
    codes = torch.cat([factor * 5 - 1, torch.rand(20_000, 1)], dim=1)
    information = metrics.mutual_information(codes, factor)
    assert information[0, 0].item() == pytest.approx(math.log(20), abs=0.01)
    assert information[1, 0].item() < 0.02
    assert metrics.normalised_information(codes, factor)[0, 0].item() == pytest.approx(1, abs=0.01)


def test_mutual_information_gap_is_one_for_a_code_of_its_own_and_zero_for_twins():
    torch.manual_seed(0)
    factors = torch.rand(20_000, 2)
    own = torch.cat([factors, torch.rand(20_000, 1)], dim=1)
    twins = torch.cat([factors[:, :1], factors[:, :1], factors[:, 1:]], dim=1)
    assert (metrics.mutual_information_gap(own, factors) > 0.97).all()
    assert metrics.mutual_information_gap(twins, factors)[0].item() == pytest.approx(0, abs=0.01)


def test_factors_of_few_values_are_kept_apart():
    labels = torch.arange(10).repeat(500)[:, None].float()
    information = metrics.mutual_information(labels, labels)
    assert information.item() == pytest.approx(math.log(10), abs=0.01)


def test_squared_error_is_twice_the_loss_averaged_over_images():
    first, second = torch.rand(3, 2, 4, 5), torch.rand(3, 2, 4, 5)
    expected = 2 * losses.squared_error(first, second).mean().item()
    assert metrics.squared_error(first, second) == pytest.approx(expected, rel=1e-5)


def test_psnr_is_scikit_image_s_and_infinite_for_equal_images():
    ours, truth = torch.rand(4, 3, 8, 8), torch.rand(4, 3, 8, 8)
    ours[0] = truth[0]
    pairs = zip(ours[1:].numpy(), truth[1:].numpy())
    expected = [peak_signal_noise_ratio(b, a, data_range=1) for a, b in pairs]
    assert metrics.psnr(ours, truth).tolist() == pytest.approx([math.inf, *expected], rel=1e-5)


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 11, 11), (2, 17, 40)])
def test_ssim_is_scikit_image_s_where_the_window_fits(shape):
    torch.manual_seed(0)
    truth = torch.rand(4, *shape)
    ours = (truth + 0.2 * torch.randn(4, *shape)).clamp(0, 1)
    settings = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 1}
    # It averages over the places where the window lies in the image, as we do.
    pairs = zip(ours.double().numpy(), truth.double().numpy())
    expected = [structural_similarity(a, b, channel_axis=0, **settings) for a, b in pairs]
    assert metrics.ssim(ours, truth).tolist() == pytest.approx(expected, abs=1e-6)


def test_ssim_of_flat_images_compares_their_brightness():
    black, grey = torch.zeros(1, 1, 12, 12), torch.full((1, 1, 12, 12), 0.5)
    assert metrics.ssim(black, grey).item() == pytest.approx(1e-4 / (0.25 + 1e-4))


@pytest.mark.parametrize("shapes", [[(2, 3, 10, 32)] * 2, [(2, 3, 32, 32), (1, 3, 32, 32)]])
def test_ssim_refuses_what_it_cannot_compare(shapes):
    with pytest.raises(ValueError, match="does not fit|same shape"):
        metrics.ssim(*map(torch.zeros, shapes))


def planes(angles):
    """Two bases (2k, k) whose k principal angles, in degrees, are these; mixed and turned."""
    torch.manual_seed(0)
    count, radians = len(angles), torch.tensor(angles, dtype=torch.double).deg2rad()
    turn = torch.linalg.qr(torch.randn(2 * count, 2 * count, dtype=torch.double)).Q
    first = torch.eye(2 * count, count, dtype=torch.double)
    second = torch.cat([radians.cos().diag(), radians.sin().diag()])
    mixes = torch.randn(2, count, count, dtype=torch.double) + 3 * torch.eye(count)
    return [turn @ basis @ mix for basis, mix in zip((first, second), mixes)]


@pytest.mark.parametrize(
    "angles", [[0, 30, 90], [1e-4, 2e-4, 5e-4], [1e-8, 45, 89.999], [0, 0, 0], [90, 90, 90]]
)
def test_principal_angles_are_found_again_also_tiny_ones_and_in_either_order(angles):
    close = {"rel": 1e-6, "abs": 2e-6 if 90 in angles else 1e-10}
    first, second = planes(angles)
    assert metrics.principal_angles(first, second).tolist() == pytest.approx(angles, **close)
    assert metrics.principal_angles(second, first).tolist() == pytest.approx(angles, **close)


def test_the_same_subspace_has_no_angles_in_single_precision_too():
    torch.manual_seed(0)
    basis = torch.randn(50, 3)
    assert metrics.principal_angles(basis, basis @ torch.randn(3, 3)).max() < 1e-4


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_columns_that_span_less_are_refused(dtype):
    torch.manual_seed(0)
    good = torch.randn(20, 3, dtype=dtype)
    flat = torch.cat([good[:, :2], good[:, :2].sum(1, keepdim=True)], dim=1)
    for pair in ((good, flat), (flat, good)):
        with pytest.raises(ValueError, match="linearly dependent"):
            metrics.principal_angles(*pair)


@pytest.mark.parametrize(
    ("first", "second"), [((9, 2), (9, 3)), ((9, 2), (8, 2)), ((9,), (9,)), ((1, 9, 2), (9, 2))]
)
def test_subspaces_of_different_sizes_have_no_angles(first, second):
    with pytest.raises(ValueError, match="as many for one subspace as for the other"):
        metrics.principal_angles(torch.randn(first), torch.randn(second))


ENCODERS = [
    models.Autoencoder(3, (5,), (1, 4, 4), normalise=True),
    models.TiedAutoencoder(3, (1, 4, 4)),
    *(models.ConvolutionalAutoencoder(3, 2, way, (1, 4, 4)) for way in ("stride", "switches")),
]


@pytest.mark.parametrize("net", ENCODERS, ids=["batch-normalised", "tied", "stride", "switches"])
def test_jacobian_norm_is_what_finite_differences_give(net):
    net, x = net.double().eval(), torch.rand(2, 1, 4, 4, dtype=torch.double)
    with torch.no_grad():
        norms = metrics.jacobian_norm(net.encode, x)
        steps = 1e-5 * torch.eye(16, dtype=torch.double).view(16, 1, 4, 4)
        columns = [net.encode(one + steps) - net.encode(one - steps) for one in x]
    expected = [(column / 2e-5).norm().item() for column in columns]
    assert norms.tolist() == pytest.approx(expected, rel=1e-5)


def clusters(counts, spread, seed=0):
    """Codes (N, 2) around corners of a polygon, so many a class, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    angle = 2 * math.pi * labels / len(counts)
    centres = torch.stack([angle.cos(), angle.sin()], dim=1)
    return centres + spread * torch.randn(len(labels), 2, generator=generator), labels


def widened(codes):
    """The same in other units and twice, with numbers that never change; more than images."""
    scaled = codes * torch.tensor([100.0, 1.0]) + torch.tensor([0.0, 1000.0])
    return torch.cat([scaled, scaled, torch.zeros(len(codes), 400)], dim=1)


@pytest.mark.parametrize("counts", [[100, 100, 100], [20, 250, 30]])
@pytest.mark.parametrize("given", [lambda codes: codes, widened])
def test_a_linear_probe_decides_as_scikit_learn_s_ridge_does(counts, given):
    """Also where classes are not equally frequent: the intercept belongs to the least squares."""
    codes, labels = clusters(counts, 0.8)
    fresh, fresh_labels = clusters(counts, 0.8, seed=1)
    codes, fresh = given(codes).double(), given(fresh).double()
    mean, spread = codes.mean(0), codes.std(0) + 1e-3
    ridge = Ridge(alpha=0.01 * len(codes))
    ridge.fit((codes - mean) / spread, torch.nn.functional.one_hot(labels))
    guesses = ridge.predict((fresh - mean) / spread).argmax(1)
    expected = (guesses == fresh_labels.numpy()).mean()
    found = metrics.linear_probe(codes, labels, fresh, fresh_labels)
    assert found == pytest.approx(expected) and 0.5 < found < 1


def corners(std=0.1):
    """Four modes, ten apart."""
    return mixtures.grid(2, spacing=10.0, std=std)


def figures(samples, mixture):
    return {name: value.tolist() for name, value in metrics.coverage(samples, mixture).items()}


FAR = math.exp(-4.5)  # of a Gaussian in the plane, so much lies beyond three standard deviations
EXPECTED = [(1 - FAR) / 4] * 4 + [FAR]


@pytest.mark.parametrize(
    ("counts", "off", "modes", "heavy"),
    [
        ([250, 250, 250, 250], 0, 4, 4),
        ([1000, 0, 0, 0], 0, 1, 1),
        ([500, 0, 300, 1], 199, 3, 2),
        ([0, 0, 0, 0], 1000, 0, 0),
        ([981, 10, 9, 0], 0, 3, 2),  # exactly one per cent is heavy
    ],
)
def test_coverage_of_samples_counted_by_hand(counts, off, modes, heavy):
    exact = corners().means.repeat_interleave(torch.tensor(counts), dim=0)
    found = figures(torch.cat([exact, torch.zeros(off, 2)]), corners())
    shares = [count / 1000 for count in [*counts, off]]
    divergence = sum(a * math.log(a / b) for a, b in zip(shares, EXPECTED) if a > 0)
    assert (found["modes"], found["heavy modes"]) == (modes, heavy)
    assert found["high quality"] == pytest.approx(1 - off / 1000)
    assert found["reverse KL"] == pytest.approx(divergence, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    ("counts", "share_kl"),
    [
        ([250, 250, 250, 250], 0.0),
        ([1000, 0, 0, 0], math.log(4)),
        ([300, 300, 0, 0], math.log(2)),  # two of four modes, in equal shares
        ([500, 250, 125, 125], math.log(4) - 1.75 * math.log(2)),  # an entropy of 1.75 bits
        ([0, 0, 0, 0], math.nan),
    ],
)
@pytest.mark.parametrize("off", [1, 400])
def test_the_share_kl_is_log_k_minus_the_entropy_of_the_shares_of_good_samples(
    counts, share_kl, off
):
    exact = corners().means.repeat_interleave(torch.tensor(counts), dim=0)
    found = figures(torch.cat([exact, torch.zeros(off, 2)]), corners())["share KL"]
    assert found == pytest.approx(share_kl, rel=1e-5, abs=1e-6, nan_ok=True)
    if sum(counts):
        shares = torch.distributions.Categorical(torch.tensor(counts).double())
        assert found == pytest.approx(math.log(4) - shares.entropy().item(), abs=1e-6)


def test_high_quality_ends_at_three_standard_deviations():
    directions = torch.tensor([[1.0, 0.0], [0.0, -1.0], [0.6, 0.8]])
    inside, outside = (corners().means[2] + 0.1 * r * directions for r in (2.99, 3.01))
    assert figures(inside, corners())["high quality"] == pytest.approx(1)
    assert figures(outside, corners())["high quality"] == 0
    assert figures(outside, corners(std=0.11))["high quality"] == pytest.approx(1)


@pytest.mark.parametrize("mixture", [mixtures.ring(), mixtures.grid()])
def test_a_perfect_sampler_scores_what_the_theory_says(mixture):
    """All modes, 1 - exp(-9/2) of high quality, and the divergence that chance leaves: K / 2N."""
    samples = mixture.sample(60, 2500, generator=torch.Generator().manual_seed(0))
    modes = len(mixture.means)
    found = metrics.coverage(samples, mixture)
    assert (found["modes"] == modes).all() and (found["heavy modes"] == modes).all()
    assert found["high quality"].mean().item() == pytest.approx(0.9889, abs=1.5e-3)
    assert found["reverse KL"].mean().item() == pytest.approx(modes / 2 / 2500, rel=0.15)
    assert found["share KL"].mean().item() == pytest.approx((modes - 1) / 2 / 2500, rel=0.15)
    assert found["reverse KL"].min() > -1e-5


def test_coverage_of_many_sets_is_that_of_each():
    ring = mixtures.ring().standardised()
    samples = ring.sample(2, 3, 400, generator=torch.Generator().manual_seed(0))
    samples[0, 1] = samples[0, 1, :1]
    samples[1, 2] *= 1.5
    found = metrics.coverage(samples, ring)
    for name, values in found.items():
        assert values.shape == (2, 3), name
        for place in ((0, 0), (0, 1), (1, 2)):
            own = metrics.coverage(samples[place], ring)[name]
            expected = pytest.approx(values[place].item(), nan_ok=True)  # the last has no shares
            assert own.shape == () and own.item() == expected
    assert found["modes"].tolist() == [[8, 1, 8], [8, 8, 0]]


def test_the_frechet_distance_of_gaussians_with_equal_axes_is_that_of_their_numbers():
    # With diagonal covariances it is Σ (m - m')² + (s - s')².
    torch.manual_seed(0)
    unit = torch.randn(50_000, 3, dtype=torch.double)
    unit = (unit - unit.mean(0)) @ torch.linalg.cholesky(unit.T.cov()).inverse().T
    scale, shift = torch.tensor([1.0, 2.0, 3.0]).double(), torch.tensor([0.0, 1.0, -2.0]).double()
    found = metrics.frechet_distance(unit, unit * scale + shift)
    assert found == pytest.approx((1 + 4) + (1 + 4), abs=1e-6)
    assert metrics.frechet_distance(unit, unit.flip(0)) == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("shapes", [((5, 3), (5, 4)), ((1, 3), (5, 3)), ((5,), (5,))])
def test_the_frechet_distance_refuses_features_that_cannot_be_compared(shapes):
    with pytest.raises(ValueError, match="equally many features"):
        metrics.frechet_distance(*(torch.rand(shape) for shape in shapes))

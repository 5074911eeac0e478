"""Measures, each on cases whose value is known."""

import math

import numpy
import pytest
import torch
from scipy.linalg import subspace_angles
from skimage.metrics import peak_signal_noise_ratio, structural_similarity
from sklearn.linear_model import Ridge

from course_utils import losses, metrics, models
from course_utils.data import mixtures


@pytest.fixture(scope="module")
def small():
    """A VAE with two latent numbers and a few binary images of 8×8."""
    torch.manual_seed(0)
    vae = models.VariationalAutoencoder(2, hidden=16, shape=(1, 8, 8)).eval()
    return vae, metrics.binarise(torch.rand(5, 1, 8, 8), seed=1)


def test_binarise_is_binary_repeatable_and_right_on_average():
    grey = torch.full((2000, 1, 4, 4), 0.3)
    binary = metrics.binarise(grey, seed=4)
    assert set(binary.unique().tolist()) == {0.0, 1.0}
    assert torch.equal(binary, metrics.binarise(grey, seed=4))
    assert binary.mean().item() == pytest.approx(0.3, abs=0.02)


def test_log_joint_is_the_sum_of_its_two_parts(small):
    vae, x = small
    z = torch.randn(5, 3, 2)
    with torch.no_grad():
        joint = metrics.log_joint(vae, x, z)
        one = -losses.binary_cross_entropy(vae.decoder(z[2, 1:2]), x[2:3])
    assert joint.shape == (5, 3)
    assert joint[2, 1].item() == pytest.approx(
        (one + losses.gaussian_log_density(z[2, 1:2])).item(), rel=1e-5
    )


def test_bounds_tighten_towards_the_integral(small):
    vae, x = small
    _, log_joint, log_cell = metrics.log_joint_on_grid(vae, x, extent=6, steps=241)
    evidence = (log_joint + log_cell).logsumexp(1)
    torch.manual_seed(0)
    plain = metrics.elbo(vae, x, draws=2000)
    tight = metrics.importance_weighted_elbo(vae, x, draws=5000)
    assert (plain < evidence + 0.02).all()
    assert (plain <= tight + 0.02).all()
    assert torch.allclose(tight, evidence, atol=0.05)


def test_importance_weights_do_not_depend_on_the_batch_size(small):
    vae, x = small
    torch.manual_seed(1)
    whole = metrics.importance_weighted_elbo(vae, x[:1], draws=64, batch_size=64)
    torch.manual_seed(1)
    parts = metrics.importance_weighted_elbo(vae, x[:1], draws=64, batch_size=16)
    assert torch.allclose(whole, parts, atol=1e-4)


def test_active_units_counts_what_moves():
    mu = torch.randn(1000, 3) * torch.tensor([1.0, 0.05, 0.5]) + 7
    assert metrics.active_units(mu).tolist() == [True, False, True]


def test_sharpness_falls_when_an_image_is_blurred():
    images = (torch.rand(4, 1, 16, 16) > 0.5).float()
    blurred = torch.nn.functional.avg_pool2d(images, 3, stride=1, padding=1)
    assert (metrics.sharpness(blurred) < 0.5 * metrics.sharpness(images)).all()


def test_prior_coverage_of_the_prior_itself_and_of_islands():
    mu = torch.zeros(10, 2)
    assert metrics.prior_coverage(mu, torch.zeros(10, 2)) == pytest.approx(
        1 - math.exp(-2),
        abs=0.04,  # the mass of a 2-D Gaussian within 2σ
    )
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


def test_squared_error_is_summed_over_pixels_and_averaged_over_images():
    first, second = torch.rand(3, 2, 4, 5), torch.rand(3, 2, 4, 5)
    by_hand = sum(((a - b) ** 2).sum().item() for a, b in zip(first, second)) / 3
    assert metrics.squared_error(first, second) == pytest.approx(by_hand, rel=1e-5)
    assert metrics.squared_error(first, second) == pytest.approx(
        2 * losses.squared_error(first, second).mean().item(), rel=1e-5
    )


def test_psnr_is_scikit_image_s():
    ours, truth = torch.rand(4, 3, 8, 8), torch.rand(4, 3, 8, 8)
    expected = [
        peak_signal_noise_ratio(b.numpy(), a.numpy(), data_range=1) for a, b in zip(ours, truth)
    ]
    assert metrics.psnr(ours, truth).tolist() == pytest.approx(expected, rel=1e-5)


def test_psnr_of_known_errors():
    black = torch.zeros(2, 1, 4, 4)
    assert metrics.psnr(black + 0.1, black).tolist() == pytest.approx([20, 20], abs=1e-4)
    assert metrics.psnr(black, black).tolist() == [math.inf, math.inf]


@pytest.mark.parametrize("shape", [(3, 32, 32), (1, 11, 11), (2, 17, 40)])
def test_ssim_is_scikit_image_s_where_the_window_fits(shape):
    torch.manual_seed(0)
    truth = torch.rand(4, *shape)
    ours = (truth + 0.2 * torch.randn(4, *shape)).clamp(0, 1)
    settings = {"gaussian_weights": True, "use_sample_covariance": False, "data_range": 1}
    # It averages over the places where the window lies in the image, as we do.
    expected = [
        structural_similarity(a.double().numpy(), b.double().numpy(), channel_axis=0, **settings)
        for a, b in zip(ours, truth)
    ]
    assert metrics.ssim(ours, truth).tolist() == pytest.approx(expected, abs=1e-6)


def test_ssim_of_an_image_with_itself_and_with_its_negative():
    torch.manual_seed(0)
    images = torch.rand(2, 3, 16, 16)
    assert metrics.ssim(images, images).tolist() == pytest.approx([1, 1])
    assert (metrics.ssim(images, 1 - images) < 0).all()


def test_ssim_of_flat_images_compares_their_brightness():
    black, grey = torch.zeros(1, 1, 12, 12), torch.full((1, 1, 12, 12), 0.5)
    assert metrics.ssim(black, grey).item() == pytest.approx(1e-4 / (0.25 + 1e-4))


@pytest.mark.parametrize("shapes", [[(2, 3, 10, 32)] * 2, [(2, 3, 32, 32), (1, 3, 32, 32)]])
def test_ssim_refuses_what_it_cannot_compare(shapes):
    with pytest.raises(ValueError, match="does not fit|compares"):
        metrics.ssim(*map(torch.zeros, shapes))


# Angles between subspaces


def planes(angles, dimension=9, seed=0):
    """Two bases (n, k) whose principal angles, in degrees, are these; mixed and turned."""
    generator = torch.Generator().manual_seed(seed)
    count = len(angles)
    frame = torch.randn(dimension, dimension, dtype=torch.double, generator=generator)
    turn, (mix, other_mix) = (
        torch.linalg.qr(frame).Q,
        (
            torch.randn(2, count, count, dtype=torch.double, generator=generator)
            + 3 * torch.eye(count).double()
        ),
    )
    radians = torch.tensor(angles, dtype=torch.double).deg2rad()
    first = torch.eye(dimension, count, dtype=torch.double)
    second = torch.cat([radians.cos().diag(), radians.sin().diag()])
    second = torch.cat([second, torch.zeros(dimension - 2 * count, count).double()])
    return turn @ first @ mix, turn @ second @ other_mix


@pytest.mark.parametrize(
    "angles", [[0, 30, 90], [1e-4, 2e-4, 5e-4], [1e-8, 45, 89.999], [0, 0, 0], [90, 90, 90]]
)
def test_principal_angles_are_found_again_also_tiny_ones(angles):
    found = metrics.principal_angles(*planes(angles))
    assert found.tolist() == pytest.approx(angles, rel=1e-6, abs=2e-6 if 90 in angles else 1e-10)


def test_principal_angles_are_scipy_s_in_either_order():
    torch.manual_seed(0)
    first, second = torch.randn(2, 30, 4, dtype=torch.double)
    expected = numpy.rad2deg(subspace_angles(first.numpy(), second.numpy()))[::-1]
    assert metrics.principal_angles(first, second).tolist() == pytest.approx(expected, rel=1e-9)
    assert metrics.principal_angles(second, first).tolist() == pytest.approx(expected, rel=1e-9)


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


# The encoder's Jacobian


def test_jacobian_norm_of_a_linear_map_is_the_norm_of_its_matrix():
    weight = torch.randn(3, 12)
    norms = metrics.jacobian_norm(lambda x: x.flatten(1) @ weight.T, torch.rand(5, 1, 3, 4))
    assert torch.allclose(norms, weight.norm().expand(5), rtol=1e-5)


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


def test_the_contractive_penalty_is_the_squared_jacobian_norm():
    net, x = models.TiedAutoencoder(3, (1, 4, 4)), torch.rand(5, 1, 4, 4)
    penalty = losses.contractive_penalty(net.encode(x), net.weight)
    assert torch.allclose(metrics.jacobian_norm(net.encode, x).square(), penalty, rtol=1e-5)


# A linear classifier on frozen codes


def clusters(counts, spread, seed=0):
    """Codes (N, 2) around corners of a polygon, so many a class, and their labels."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(len(counts)).repeat_interleave(torch.tensor(counts))
    angle = 2 * math.pi * labels / len(counts)
    centres = torch.stack([angle.cos(), angle.sin()], dim=1)
    return centres + spread * torch.randn(len(labels), 2, generator=generator), labels


def test_a_linear_probe_reads_what_a_line_can_separate_and_guesses_the_rest():
    codes, labels = clusters([100] * 3, 0.1)
    fresh, fresh_labels = clusters([100] * 3, 0.1, seed=1)
    assert metrics.linear_probe(codes, labels, fresh, fresh_labels) == 1.0
    noise = torch.randn(300, 2, generator=torch.Generator().manual_seed(2))
    guessed = metrics.linear_probe(noise, labels, noise.flip(0), labels)
    assert guessed == pytest.approx(1 / 3, abs=0.1)


@pytest.mark.parametrize("counts", [[100, 100, 100], [20, 250, 30]])
def test_a_linear_probe_decides_as_scikit_learn_s_ridge_does(counts):
    """Also where classes are not equally frequent: the intercept belongs to the least squares."""
    codes, labels = clusters(counts, 0.8)
    fresh, fresh_labels = clusters(counts, 0.8, seed=1)
    mean, spread = codes.mean(0), codes.std(0) + 1e-3
    ridge = Ridge(alpha=0.01 * len(codes))
    ridge.fit(((codes - mean) / spread).double(), torch.nn.functional.one_hot(labels))
    guesses = ridge.predict(((fresh - mean) / spread).double()).argmax(1)
    expected = (guesses == fresh_labels.numpy()).mean()
    found = metrics.linear_probe(codes, labels, fresh, fresh_labels)
    assert found == pytest.approx(expected) and 0.5 < found < 1


def test_a_linear_probe_does_not_mind_units_dead_numbers_or_more_numbers_than_images():
    codes, labels = clusters([20] * 3, 0.1)
    fresh, fresh_labels = clusters([20] * 3, 0.1, seed=1)

    def widened(codes):
        scaled = codes * torch.tensor([100.0, 1.0]) + torch.tensor([0.0, 1000.0])
        return torch.cat([scaled, scaled, torch.zeros(len(codes), 100)], dim=1)

    assert metrics.linear_probe(widened(codes), labels, widened(fresh), fresh_labels) == 1.0


def test_a_class_that_was_never_taught_is_never_right():
    codes, labels = clusters([50, 50], 0.1)
    accuracy = metrics.linear_probe(codes, labels, codes, torch.full_like(labels, 2))
    assert accuracy == 0


# Covered modes


def corners(std=0.1):
    """Four modes, ten apart."""
    return mixtures.grid(2, spacing=10.0, std=std)


def drawn(*counts, off=0):
    """Samples on the four modes, so many each, and so many far from all of them."""
    exact = corners().means.repeat_interleave(torch.tensor(counts), dim=0)
    return torch.cat([exact, torch.zeros(off, 2)])


def figures(samples, mixture):
    return {name: value.tolist() for name, value in metrics.coverage(samples, mixture).items()}


def divergence(shares, expected):
    return sum(a * math.log(a / b) for a, b in zip(shares, expected) if a > 0)


FAR = math.exp(-4.5)  # of a Gaussian in the plane, so much lies beyond three standard deviations
EXPECTED = [(1 - FAR) / 4] * 4 + [FAR]


@pytest.mark.parametrize(
    ("counts", "off", "modes", "heavy"),
    [
        ([250, 250, 250, 250], 0, 4, 4),
        ([1000, 0, 0, 0], 0, 1, 1),
        ([500, 0, 300, 0], 200, 2, 2),
        ([0, 0, 0, 0], 1000, 0, 0),
        ([999, 1, 0, 0], 0, 2, 1),  # drawn once in a thousand: a mode, but not a heavy one
        ([981, 10, 9, 0], 0, 3, 2),  # exactly one per cent is heavy
        ([97, 1, 1, 1], 900, 4, 1),
    ],
)
def test_coverage_of_samples_counted_by_hand(counts, off, modes, heavy):
    found = figures(drawn(*counts, off=off), corners())
    shares = [count / 1000 for count in [*counts, off]]
    assert (found["modes"], found["heavy modes"]) == (modes, heavy)
    assert found["high quality"] == pytest.approx(1 - off / 1000)
    assert found["reverse KL"] == pytest.approx(divergence(shares, EXPECTED), rel=1e-5, abs=1e-6)


def test_high_quality_ends_at_three_standard_deviations():
    directions = torch.tensor([[1.0, 0.0], [0.0, -1.0], [0.6, 0.8]])
    inside, outside = (corners().means[2] + 0.1 * r * directions for r in (2.99, 3.01))
    assert figures(inside, corners())["high quality"] == pytest.approx(1)
    assert figures(outside, corners())["high quality"] == 0
    assert figures(outside, corners(std=0.11))["high quality"] == pytest.approx(1)


def test_samples_that_are_far_from_every_mode_have_the_largest_divergence():
    untrained = 0.3 * torch.randn(2500, 2, generator=torch.Generator().manual_seed(0))
    found = figures(untrained, mixtures.ring(radius=50.0))
    assert found == {
        "modes": 0, "heavy modes": 0, "high quality": 0.0, "reverse KL": pytest.approx(4.5)
    }  # fmt: skip


def test_one_mode_alone_has_about_the_logarithm_of_how_many_there_are():
    ring = mixtures.ring()
    found = figures(ring.means[3].expand(100, 2), ring)
    assert found["reverse KL"] == pytest.approx(math.log(8 / (1 - FAR)), rel=1e-5)


@pytest.mark.parametrize(("mixture", "bias"), [(mixtures.ring(), 0.0016), (mixtures.grid(), 0.005)])
@pytest.mark.parametrize("standardised", [False, True])
def test_a_perfect_sampler_scores_what_the_theory_says(mixture, bias, standardised):
    """All modes, 1 - exp(-9/2) of high quality, and the divergence that chance leaves: K / 2N."""
    mixture = mixture.standardised() if standardised else mixture
    samples = mixture.sample(60, 2500, generator=torch.Generator().manual_seed(0))
    found = metrics.coverage(samples, mixture)
    assert (found["modes"] == len(mixture.means)).all()
    assert (found["heavy modes"] == len(mixture.means)).all()
    assert found["high quality"].mean().item() == pytest.approx(0.9889, abs=1.5e-3)
    assert bias == pytest.approx(len(mixture.means) / 2 / 2500)
    assert found["reverse KL"].mean().item() == pytest.approx(bias, rel=0.15)
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
            assert own.shape == () and own.item() == pytest.approx(values[place].item())
    assert found["modes"].tolist() == [[8, 1, 8], [8, 8, 0]]


def test_without_noise_that_divergence_is_zero_for_the_right_shares():
    counts = [round(10_000 * share) for share in EXPECTED]
    found = figures(drawn(*counts[:4], off=counts[4]), corners())
    assert found["reverse KL"] == pytest.approx(0, abs=1e-5)


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
def test_the_frechet_distance_refuses_heaps_that_cannot_be_compared(shapes):
    with pytest.raises(ValueError, match="equally many features"):
        metrics.frechet_distance(*(torch.rand(shape) for shape in shapes))

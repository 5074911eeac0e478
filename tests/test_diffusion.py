"""Diffusion and flow matching: schedules, predictions, samplers and networks."""

import numpy
import pytest
import torch

from course_utils import plots, widgets
from course_utils.data import mixtures
from course_utils.models import PointDenoiser, SmallUNet, diffusion

SCHEDULES = {
    "linear": diffusion.linear_schedule,
    "cosine": diffusion.cosine_schedule,
    "geometric": diffusion.geometric_schedule,
}
MODES = mixtures.ring(std=0.1).standardised()


@pytest.fixture(params=SCHEDULES)
def schedule(request):
    return SCHEDULES[request.param]()


def exact(schedule):
    """The noise that the best denoiser of `MODES` finds, by the gradient of the log density."""

    def noise_of(x, t):
        kept = schedule.alpha_bar[round(t * schedule.steps)]
        std = (kept * MODES.std**2 + 1 - kept).sqrt().item()
        with torch.enable_grad():
            x = x.detach().requires_grad_()
            density = mixtures.Mixture("noised", kept.sqrt() * MODES.means, std).log_density(x)
            (score,) = torch.autograd.grad(density.sum(), x)
        return -(1 - kept).sqrt() * score

    return noise_of


def test_a_schedule_begins_with_the_data_and_ends_with_noise(schedule):
    assert schedule.alpha_bar[0] == 1 and schedule.alpha_bar[-1] < 1e-3
    assert (schedule.alpha_bar.diff() < 0).all()
    assert torch.allclose(schedule.sigma**2 + schedule.alpha_bar, torch.ones(schedule.steps + 1))


def test_the_closed_form_keeps_the_variance(schedule):
    generator = torch.Generator().manual_seed(0)
    x0, noise = torch.randn(2, 20_000, 3, generator=generator)
    for t in (1, 300, 1000):
        x_t = schedule.noised(x0, torch.full((20_000,), t), noise)
        assert abs(x_t.var().item() - 1) < 0.03


@pytest.mark.parametrize("shape", [(5, 2), (5, 3, 8, 8)])
def test_images_have_a_time_each(schedule, shape):
    x0, t = torch.ones(shape), torch.tensor([0, 1, 400, 700, 1000])
    x_t = schedule.noised(x0, t, torch.zeros(shape))
    for each, kept in zip(x_t, schedule.alpha_bar[t]):
        assert torch.allclose(each, kept.sqrt().expand(shape[1:]))


def test_predictions_turn_into_one_another():
    x0, noise = torch.randn(2, 100, 2, generator=torch.Generator().manual_seed(1))
    kept = torch.linspace(0.05, 0.95, 100)[:, None]
    x_t, v = kept.sqrt() * x0 + (1 - kept).sqrt() * noise, diffusion.v_from(x0, noise, kept)
    assert torch.allclose(diffusion.noise_from_x0(x0, x_t, kept), noise, atol=1e-4)
    assert torch.allclose(diffusion.x0_from_noise(noise, x_t, kept), x0, atol=1e-4)
    assert torch.allclose(diffusion.noise_from_v(v, x_t, kept), noise, atol=1e-4)
    assert torch.allclose(diffusion.x0_from_v(v, x_t, kept), x0, atol=1e-4)


@pytest.mark.parametrize("sampler", ["ancestral", "ddim", "euler"])
def test_the_exact_denoiser_samples_the_modes(sampler):
    """With the true score every sampler gives the mixture: modes, shares and widths."""
    schedule = diffusion.geometric_schedule()
    x = torch.randn(2_000, 2, generator=torch.Generator().manual_seed(2))
    torch.manual_seed(3)
    if sampler == "euler":

        def velocity(x, t):
            """Of the straight lines: x_t / √((1 - t)² + t²) is a point of the diffusion."""
            size = ((1 - t) ** 2 + t**2) ** 0.5
            kept = torch.tensor(((1 - t) / size) ** 2)
            one = diffusion.Schedule(torch.stack([torch.tensor(1.0), kept]))
            noise = exact(one)(x / size, 1.0)
            return noise - (x - t * noise) / (1 - t) if t < 1 else x

        samples = diffusion.euler(velocity, x, 100)[-1]
    else:
        samples = getattr(diffusion, sampler)(exact(schedule), schedule, x, 100)[-1]
    distance, nearest = torch.cdist(samples, MODES.means).min(dim=1)
    assert (distance < 4 * MODES.std).float().mean() > 0.97
    share = nearest.bincount(minlength=8) / 2_000
    assert share.min() > 0.09 and share.max() < 0.16
    assert 0.75 < distance.square().mean().sqrt() / (2**0.5 * MODES.std) < 1.2


def test_ddim_with_the_noise_of_ancestral_sampling_is_ancestral_sampling():
    schedule = diffusion.linear_schedule()
    x = torch.randn(50, 2)
    paths = []
    for sampler, more in ((diffusion.ancestral, {}), (diffusion.ddim, {"eta": 1.0})):
        torch.manual_seed(0)
        paths.append(torch.stack(sampler(exact(schedule), schedule, x, 25, **more)))
    assert torch.allclose(*paths, atol=2e-3)


def test_a_clipped_estimate_keeps_samples_inside():
    schedule = diffusion.cosine_schedule()
    x = torch.randn(20, 1, 4, 4)
    path = diffusion.ddim(lambda x, t: 0 * x, schedule, x, 5, clip=1.0)
    assert path[-1].abs().max() <= 1 + 1e-5


def test_euler_takes_times_of_ones_own():
    path = diffusion.euler(lambda x, t: torch.ones(1), torch.ones(1), times=[1.0, 0.9, 0.0])
    assert torch.allclose(torch.cat(path), torch.tensor([1.0, 0.9, 0.0]))


def test_runs_side_by_side_are_independent():
    net = PointDenoiser(runs=3)
    x, t = torch.randn(3, 4, 2), torch.rand(3, 4)
    before = net(x, t)
    x[2] += 1
    assert torch.equal(before[:2], net(x, t)[:2]) and not torch.equal(before[2], net(x, t)[2])


def test_no_condition_is_a_row_of_zeros():
    net = SmallUNet(1, condition=10, width=8)
    for block in (*net.down, *net.up):  # which begin as their shortcuts
        torch.nn.init.normal_(block.second.weight)
    x, t = torch.randn(2, 1, 8, 8), torch.rand(2)
    assert torch.equal(net(x, t), net(x, t, torch.zeros(2, 10)))
    assert not torch.equal(net(x, t), net(x, t, torch.eye(10)[:2]))


@pytest.mark.parametrize(
    "call",
    [
        lambda: diffusion.linear_schedule().times(0),
        lambda: diffusion.linear_schedule().times(1001),
        lambda: diffusion.linear_schedule(first=0.0),
        lambda: diffusion.geometric_schedule(smallest=-1),
        lambda: diffusion.euler(lambda x, t: x, torch.ones(1), 0),
        lambda: SmallUNet(3)(torch.rand(1, 3, 30, 32), 0.5),
        lambda: SmallUNet(3)(torch.rand(1, 1, 32, 32), 0.5),
        lambda: PointDenoiser(width=0),
    ],
)
def test_what_cannot_be_is_refused(call):
    with pytest.raises(ValueError):
        call()


def a_path():
    plots.use_course_style()

    def straight(x, steps):
        return [x * (1 - number / steps) for number in range(steps + 1)]

    samplers = {"straight": straight, "at once": lambda x, steps: [x, 0 * x]}
    return widgets.SamplePath(samplers, torch.zeros(3, 2), "A path to zero.", steps=(2, 5))


def test_the_start_of_a_path_is_moved_by_sliders_and_code_alike():
    by_slider, by_code = a_path(), a_path()
    assert by_slider.start == (1.0, 2.0) and by_slider.plane.points == [(1.0, 2.0)]
    by_slider.sliders["first"].value -= 40
    assert by_slider.start == by_slider.plane.points[0] == (-1.0, 2.0)
    assert numpy.array_equal(by_slider.image, by_code.set(first=-1.0).image)
    assert by_code.sweep() == "4 sliders moved to 12 positions"
    with pytest.raises(ValueError, match="no position 7"):
        by_code.set(steps=7)


def test_the_start_of_a_path_is_dragged():
    pytest.importorskip("anywidget")
    by_hand, by_code = a_path(), a_path()
    by_hand.plane.handles.state = {"points": [[0.5049, -1.2]], "chosen": 0}
    assert by_hand.start == (0.5, -1.2)
    assert numpy.array_equal(by_hand.image, by_code.set(first=0.5, second=-1.2).image)

"""The time machine: images that depend on the state alone, and networks that take turns."""

import itertools

import numpy
import pytest
import torch
from torch import nn

from course_utils import models, widgets
from course_utils.data import mixtures
from course_utils.widgets import TimeMachine, flat_weights

RUNS, STEPS = 2, [0, 40, 1200]


def networks(seed=0):
    torch.manual_seed(seed)
    D = models.perceptrons(RUNS, 2, 1, (8,), nn.Tanh)
    return models.perceptrons(RUNS, 2, 2, (8,), nn.Tanh), nn.Sequential(D, nn.Flatten(1))


def history():
    """Weights that change a lot from frame to frame."""
    weights = [flat_weights(*networks(number)).detach() for number in range(len(STEPS))]
    return [(step, (1 + n) * weights[n]) for n, step in enumerate(STEPS)]


def descend(net, loss):
    for weight, slope in zip(net.parameters(), torch.autograd.grad(loss, [*net.parameters()])):
        weight.data -= 0.05 * slope


def update_D(G, D):
    real = mixtures.ring().sample(RUNS, 16)
    fake = G(torch.randn(RUNS, 16, 2)).detach()
    descend(D, (D(fake) - D(real)).mean(-1).sum())


def update_G(G, D):
    descend(G, -D(G(torch.randn(RUNS, 16, 2))).mean(-1).sum())


TURNS = [("D", update_D), ("G", update_G)]


@pytest.fixture
def machine():
    return TimeMachine(*networks(), history(), mixtures.ring(), TURNS)


def test_the_image_has_one_size_and_depends_on_the_state_alone(machine):
    """The same bytes whatever was shown before, and in another machine of the same history."""
    states = [(0, 0, 1), (1, 0, 1), (1, 2, 1), (1, 2, 2), (2, 3, 1)]
    second = TimeMachine(*networks(), history(), mixtures.ring(), TURNS)
    forward = {state: machine.draw(*state) for state in states}
    backward = {state: second.draw(*state) for state in reversed(states)}
    for state in states:
        assert numpy.array_equal(forward[state], backward[state]), state
        assert numpy.array_equal(forward[state], machine.draw(*state)), state
    for one, other in itertools.combinations(states, 2):
        assert not numpy.array_equal(forward[one], forward[other]), (one, other)
    assert all(image.dtype == numpy.uint8 for image in forward.values())
    ((height, width, channels),) = {image.shape for image in forward.values()}
    assert channels == 3 and 300 < height <= 950 and 300 < width <= 950


def test_slow_motion_changes_neither_what_it_was_given_nor_the_random_numbers():
    frames, (G, D) = history(), networks()
    before = [weights.clone() for _, weights in frames]
    given = flat_weights(G, D).detach().clone()
    numbers = torch.get_rng_state()
    machine = TimeMachine(G, D, frames, mixtures.ring(), TURNS)
    for state in ((0, 4), (2, 2), (0, 0), (1, 3, 2)):
        machine.draw(*state)
    assert torch.equal(numbers, torch.get_rng_state())
    assert all(torch.equal(weights, kept) for (_, weights), kept in zip(frames, before))
    assert torch.equal(flat_weights(G, D).detach(), given)


def test_a_turn_is_ten_steps_of_one_network_from_the_weights_before(machine):
    G, D = networks()
    parameters = [*G.parameters(), *D.parameters()]
    for frame, (_, weights) in enumerate(history()):
        assert torch.equal(machine.weights(frame), weights)
        nn.utils.vector_to_parameters(weights.clone(), parameters)
        for turn in range(1, 5):
            torch.manual_seed(turn)
            for _ in range(10):
                TURNS[(turn - 1) % 2][1](G, D)
            expected = torch.cat([weight.detach().flatten() for weight in parameters])
            assert torch.allclose(machine.weights(frame, turn), expected, atol=1e-6)
        machine.draw(frame, 4)
        assert torch.equal(flat_weights(machine.G, machine.D), machine.weights(frame, 4))


def test_the_title_says_the_step_the_turn_and_what_is_covered(machine):
    titles = {
        (2,): "step 1,200:  ",
        (1, 1): "step 40 + 1 (now D):  ",
        (1, 2): "step 40 + 2 (now G):  ",
    }
    for state, begin in titles.items():
        machine.draw(*state)
        assert machine.text.get_text().startswith(begin)
        assert "of 8 modes" in machine.text.get_text()


def test_surface_arrows_and_fakes_are_where_they_should_be():
    G = networks()[0]
    D = nn.Sequential(nn.Linear(2, 1, bias=False), nn.Flatten(1))
    D[0].weight.data = torch.tensor([[1.0, 0.0]])  # the logit rises to the right only
    machine = TimeMachine(G, D, [(0, flat_weights(G, D).detach())], mixtures.ring(), [])
    machine.draw(0, run=2)
    surface = machine.surface.get_array()
    expected = torch.linspace(-2.4, 2.4, machine.SURFACE).sigmoid()
    assert numpy.allclose(surface, expected.expand(machine.SURFACE, -1).numpy(), atol=1e-6)
    assert (machine.arrows.U > 0.1).all() and numpy.allclose(machine.arrows.V, 0)
    with torch.no_grad():
        fakes = G(machine.z)[1, : machine.SAMPLES]
    assert numpy.allclose(machine.dots.get_offsets(), fakes.numpy(), atol=1e-6)


def test_it_is_moved_by_sliders(machine):
    sliders = {"frame": (0, 2, 1, 1), "slow_motion": (0, 2, 1, 0), "run": (1, 2, 1, 1)}
    replay = widgets.explore(machine.draw, "A GAN.", **sliders)
    assert replay.sweep().startswith("3 sliders moved")

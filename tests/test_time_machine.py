"""The time machine: images that depend on the state alone, and players who take turns."""

import itertools

import numpy
import pytest
import torch
from torch import nn
from torch.nn.functional import softplus

from course_utils import models, widgets
from course_utils.data import mixtures
from course_utils.widgets import TimeMachine, flat_weights

RUNS, STEPS = 2, [0, 40, 1200]


def players(seed=0):
    torch.manual_seed(seed)
    judge = models.perceptrons(RUNS, 2, 1, (8,), nn.Tanh)
    return models.perceptrons(RUNS, 2, 2, (8,), nn.Tanh), nn.Sequential(judge, nn.Flatten(1))


def film():
    """Weights that change a lot from frame to frame."""
    frames = []
    for number, step in enumerate(STEPS):
        G, D = players(number)
        frames.append((step, (1 + number) * flat_weights(G, D).detach()))
    return frames


def descend(net, loss):
    slopes = torch.autograd.grad(loss, list(net.parameters()))
    with torch.no_grad():
        for weight, slope in zip(net.parameters(), slopes):
            weight -= 0.05 * slope


def d_moves(G, D):
    real = mixtures.ring().sample(RUNS, 16)
    fake = G(torch.randn(RUNS, 16, 2)).detach()
    descend(D, (softplus(-D(real)).mean(-1) + softplus(D(fake)).mean(-1)).sum())


def g_moves(G, D):
    descend(G, softplus(-D(G(torch.randn(RUNS, 16, 2)))).mean(-1).sum())


def machine_of(frames, mixture=None):
    turns = [("D", d_moves), ("G", g_moves)]
    return TimeMachine(*players(), frames, mixture or mixtures.ring(), turns)


@pytest.fixture
def machine():
    return machine_of(film())


def shares(machine, weights):
    """The generator's and the discriminator's part of a vector of weights."""
    return weights.split(
        [sum(p.numel() for p in net.parameters()) for net in (machine.G, machine.D)]
    )


def test_weights_of_networks_are_their_parameters_in_order():
    G, D = players()
    expected = torch.cat([p.detach().flatten() for p in [*G.parameters(), *D.parameters()]])
    assert torch.equal(flat_weights(G, D).detach(), expected)


def test_every_state_has_an_image_of_one_size_and_kind(machine):
    shapes = set()
    for frame, slow_motion, run in itertools.product(range(len(STEPS)), (0, 1, 3), (1, 2)):
        image = machine.draw(frame, slow_motion, run)
        assert image.dtype == numpy.uint8
        shapes.add(image.shape)
    ((height, width, channels),) = shapes
    assert channels == 3 and 300 < height <= 950 and 300 < width <= 950


def test_the_image_depends_on_the_state_alone():
    """The same bytes whatever was looked at before, and on another machine of the same film."""
    states = [(0, 0, 1), (1, 0, 1), (1, 2, 1), (1, 2, 2), (2, 3, 1)]
    first, second = machine_of(film()), machine_of(film())
    forward = {state: first.draw(*state) for state in states}
    backward = {state: second.draw(*state) for state in reversed(states)}
    for state in states:
        assert numpy.array_equal(forward[state], backward[state]), state
        assert numpy.array_equal(forward[state], first.draw(*state)), state
    for one, other in itertools.combinations(states, 2):
        assert not numpy.array_equal(forward[one], forward[other]), (one, other)


def test_slow_motion_leaves_the_film_and_the_players_that_were_given_alone():
    frames, (G, D) = film(), players()
    before = [weights.clone() for _, weights in frames], flat_weights(G, D).detach().clone()
    machine = TimeMachine(G, D, frames, mixtures.ring(), [("D", d_moves), ("G", g_moves)])
    for state in ((0, 4), (2, 2), (0, 0)):
        machine.draw(*state)
    for (_, weights), kept in zip(frames, before[0]):
        assert torch.equal(weights, kept)
    assert torch.equal(flat_weights(G, D).detach(), before[1])


def test_in_slow_motion_only_the_player_moves_whose_turn_it_is(machine):
    for frame in range(len(STEPS)):
        at = [machine.weights(frame, turn).clone() for turn in range(5)]
        assert torch.equal(at[0], film()[frame][1])
        for turn in range(1, 5):
            (g_before, d_before), (g, d) = shares(machine, at[turn - 1]), shares(machine, at[turn])
            assert torch.equal(g_before, g) == (turn % 2 == 1), (frame, turn)
            assert torch.equal(d_before, d) == (turn % 2 == 0), (frame, turn)


def test_a_turn_is_ten_steps_of_its_player_from_the_weights_before(machine):
    G, D = players()
    nn.utils.vector_to_parameters(film()[1][1].clone(), [*G.parameters(), *D.parameters()])
    for turn, move in ((1, d_moves), (2, g_moves)):
        torch.manual_seed(turn)
        for _ in range(10):
            move(G, D)
        assert torch.allclose(machine.weights(1, turn), flat_weights(G, D).detach(), atol=1e-6)


def test_random_numbers_go_on_as_if_nothing_had_been_drawn():
    given = *players(), film(), mixtures.ring(), [("D", d_moves), ("G", g_moves)]
    before = torch.get_rng_state()
    machine = TimeMachine(*given)
    machine.draw(0)
    machine.draw(1, 3, 2)
    assert torch.equal(before, torch.get_rng_state())


def test_the_title_says_the_step_the_turn_and_what_is_covered(machine):
    machine.draw(2)
    assert machine.text.get_text().startswith("step 1,200:  ")
    assert "of 8 modes" in machine.text.get_text()
    machine.draw(1, 1)
    assert machine.text.get_text().startswith("step 40 + 1 (now D):  ")
    machine.draw(1, 2)
    assert machine.text.get_text().startswith("step 40 + 2 (now G):  ")


class Straight(nn.Module):
    """A judge whose verdict rises to the right only."""

    def __init__(self):
        super().__init__()
        self.slope = nn.Parameter(torch.ones(RUNS, 1))

    def forward(self, x):
        return self.slope * x[..., 0]


def test_surface_arrows_and_fakes_are_where_they_should_be():
    G, D = players()[0], Straight()
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
    replay = widgets.explore(
        machine.draw, "A GAN.", frame=(0, 2, 1, 1), slow_motion=(0, 2, 1, 0), run=(1, 2, 1, 1)
    )
    assert replay.sweep().startswith("3 sliders moved")

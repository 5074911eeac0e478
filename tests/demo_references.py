"""What the live demos are held against: the course's networks and its training, in PyTorch."""

from __future__ import annotations

from copy import deepcopy
from functools import cache

import torch
import torch.nn.functional as F

import course_utils
from course_utils.authoring import demo_models
from course_utils.authoring.notebooks import NOTEBOOKS, definitions
from course_utils.data import mixtures
from course_utils.training.players import Players

MOST = 1e-3  # difference from PyTorch, in pixel units
METHODS = {"plain": ("Method", 128), "finalist": ("WHOLE", 256)}  # in lesson 04b, and the batch


@cache
def networks() -> dict:
    """File of a demo -> (network, inputs): the input of one image each, flattened by the page."""
    torch.manual_seed(3)
    face_vae = demo_models.face_directions()[0]
    digits, faces = demo_models.digits_generator(), demo_models.faces_generator()
    captions = demo_models.caption_generator()

    def conditional(G):
        return lambda x: G(x[:, : G.latent], x[:, G.latent :])

    def with_condition(y):
        return torch.cat([torch.randn(len(y), 16), y], dim=1)

    ring, unet = demo_models.ring_denoiser(), demo_models.digits_unet()
    some_times = 0.6 + 0.4 * torch.rand(4, 1)  # at less noise most points of the plane are not x_t

    def denoised(x):
        return unet(x[:, :1024].view(-1, 1, 32, 32), x[:, 1024], x[:, 1025:])

    points = torch.cat([torch.randn(4, 2), some_times], dim=1)
    noisy = torch.cat([torch.randn(4, 1024), some_times, torch.eye(10)[3:7]], dim=1)
    noisy[0, 1025:] = 0  # no condition
    to = demo_models.translators()
    found = {
        "latent-map/decoder": (demo_models.vae_decoder().decode, 2 * torch.randn(4, 2)),
        "faces/faces": (face_vae.decode, torch.randn(4, 12)),
        "latent-walk/generator": (demo_models.dcgan_generator(), torch.randn(4, 32)),
        "conditional-digits/generator": (conditional(digits), with_condition(torch.eye(10)[:4])),
        "conditional-faces/generator": (conditional(faces), with_condition(torch.rand(4, 19))),
        "caption/generator": (conditional(captions), with_condition(torch.randn(4, 24))),
        "diffusion/ring": (lambda x: ring(x[:, :2], x[:, 2]), points),
        "diffusion/digits": (denoised, noisy),
        "horse-zebra/to_zebra": (to["to_zebra"], demo_models.drawn("horse")[:3] / 255),
        "horse-zebra/to_horse": (to["to_horse"], demo_models.drawn("zebra")[:3] / 255),
    }
    return {f"{name}.safetensors": pair for name, pair in found.items()}


@torch.no_grad()
def sentence_embedding(sentence: str) -> torch.Tensor:
    """φ of a sentence, (24,), as lesson 05b writes it."""
    tensors = {name: value.float() for name, value in demo_models.caption_tensors().items()}
    numbers = demo_models.vocabulary_of_captions().numbers([sentence], length=32)
    vectors = tensors["words.weight"][numbers].transpose(1, 2)
    found = F.conv1d(vectors, tensors["convolution.weight"], padding=1).relu().amax(2)
    mixed = F.linear(found, tensors["head.weight"], tensors["head.bias"])
    return 24**0.5 * F.normalize(mixed, dim=1)[0]


def flat(tensors) -> list[list[float]]:
    """Tensors as the page has them: all weights, then all biases, each as one row of numbers."""
    tensors = list(tensors)
    ordered = tensors[::2] + tensors[1::2]
    return [tensor.detach().flatten().tolist() for tensor in ordered]


def gan_steps(name: str, warm_up: int, steps: int) -> tuple[dict, dict]:
    """Steps of lesson 04b's own training: what they are given, and what comes out.

    Args:
        name: of `METHODS`.
        warm_up: steps made before, so that the networks are no longer at their start.
        steps: how many are compared.

    Returns:
        what `replay` of demo_gan.mjs takes, and what it should return.
    """
    of = definitions(NOTEBOOKS / "04b_stabilizing_gans.ipynb", tag="methods")
    which, batch = METHODS[name]
    method = of["Method"]() if which == "Method" else of[which]
    lab, ring = course_utils.start("04b_stabilizing_gans", seed=0), mixtures.ring().standardised()
    torch.manual_seed(1)
    nets = {"generator": of["generator"](1), "discriminator": of["discriminator"](1)}
    nets["average"] = deepcopy(nets["generator"])
    rates = {"generator": method.lr, "discriminator": method.lr, "average": 0.0}
    step, noise, real = of["step_of"](method), [], []

    def recorded(some):
        noise.append(torch.randn(1, batch, 2))
        return noise[-1]

    def players_of(nets):
        return Players(nets, rates, (method.beta1, 0.99), lab, method.schedule)

    def train(players, count, first):
        losses = []
        for number in range(first, first + count):
            real.append(ring.sample(batch, 1))
            players.begin_step(number / 5_000, 1.0)
            losses.append(step(real[-1], players.nets, players.opts))
        return losses

    step.__globals__["noise_for"] = recorded
    train(players_of(nets), warm_up, 0)
    noise.clear(), real.clear()
    nets["average"] = deepcopy(nets["generator"])
    G, D = nets["generator"], nets["discriminator"]
    given = {"method": name, "first": warm_up, "G": flat(G.parameters())}
    given["D"] = flat(D.parameters())
    losses = train(players_of(nets), steps, warm_up)  # Adam begins anew, as in the page
    given |= {"real": [one.flatten().tolist() for one in real]}
    given |= {"noise": [one.flatten().tolist() for one in noise]}
    after = {"G": flat(G.parameters()), "D": flat(D.parameters())}
    after["average"] = flat(nets["average"].parameters())
    after["gradient_G"] = flat(weight.grad for weight in G.parameters())
    after["gradient_D"] = flat(weight.grad for weight in D.parameters())
    by_name = {key: [one[f"loss_{key}"].item() for one in losses] for key in "DG"}
    return given, after | {"losses": by_name}


def furthest(found, expected) -> float:
    """The largest difference of two nested lists of numbers of the same shape."""
    if isinstance(expected, dict):
        return max(furthest(found[key], expected[key]) for key in expected)
    if isinstance(expected, list) and expected and isinstance(expected[0], list):
        assert len(found) == len(expected)
        return max(furthest(one, other) for one, other in zip(found, expected))
    pair = torch.tensor(found, dtype=torch.float64), torch.tensor(expected, dtype=torch.float64)
    assert pair[0].shape == pair[1].shape
    return (pair[0] - pair[1]).abs().max().item()


def hold_gan(name: str, returned: dict, expected: dict) -> float:
    """Hold a training of the page to PyTorch's; gives the largest difference.

    Where a gradient is 0 but for rounding, as those of biases in a relativistic loss at the start,
    Adam makes steps of full size of it. So of the method with that loss one step is compared, by
    its gradients, from networks that are no longer at their start.
    """
    if name == "plain":
        compared = ("G", "D", "average", "losses")
        return max(furthest(returned[key], expected[key]) for key in compared)
    largest = []
    for key in ("gradient_D", "gradient_G"):
        size = max(abs(value) for row in expected[key] for value in row)
        largest.append(furthest(returned[key], expected[key]) / size)
    return max(*largest, furthest(returned["losses"], expected["losses"]))


GAN_STEPS = {"plain": (0, 20), "finalist": (100, 1)}  # warm-up, and steps that are compared

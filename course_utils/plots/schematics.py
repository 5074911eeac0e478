"""Schematics of the methods as small vector drawings: boxes, arrows, shapes of tensors.

A drawing is a list of boxes on a grid and of arrows between them, and of plates around some of
them; the functions below make those of the lectures' methods. They are SVG, so they stay sharp on a
projector and in a page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

from .figures import PALETTE

CELL_WIDTH, CELL_HEIGHT = 162, 98  # pixels of a place on the grid
BOX_WIDTH, BOX_HEIGHT = 124, 54
# The side of the square around each kind of circle.
CIRCLES = {"operation": 34, "variable": 58, "observed": 58, "parameter": 40}
MARGIN = 14
# Of each kind of box: fill, outline. Data are grey, networks coloured, losses outlined.
COLOURS = {
    "data": ("#F1F1F1", "#666666"),
    "network": ("#DCEAF7", PALETTE[0]),
    "encoder": ("#DCEAF7", PALETTE[0]),
    "decoder": ("#DDF0E2", PALETTE[3]),
    "generator": ("#DDF0E2", PALETTE[3]),
    "discriminator": ("#F8E3E6", PALETTE[5]),
    "loss": ("#FFFFFF", PALETTE[2]),
    "operation": ("#FFFFFF", "#333333"),
    "variable": ("#FFFFFF", "#333333"),
    "observed": ("#D9D9D9", "#333333"),
    "parameter": ("#FFFFFF", "none"),
}


@dataclass(frozen=True)
class Box:
    """One thing in a drawing.

    Attributes:
        name: what arrows call it.
        at: (column, row) on the grid from the upper left; halves are allowed.
        text: in the box; several lines are separated by newlines.
        kind: data, network, encoder (narrows to the right), decoder and generator (widen),
            discriminator (narrows), loss, or operation (a small circle); of a graphical model,
            variable (a circle), observed (a grey one) or parameter (no outline).
        note: below it, such as the shape of a tensor.
        note_above: whether the note stands above, where an arrow leaves below.

    Example:
        >>> Box("z", (0, 0), "code z").size  # pixels
        (124, 54)
    """

    name: str
    at: tuple[float, float]
    text: str
    kind: str = "data"
    note: str = ""
    note_above: bool = False

    @property
    def centre(self) -> tuple[float, float]:
        """(x, y) in pixels."""
        column, row = self.at
        return MARGIN + (column + 0.5) * CELL_WIDTH, MARGIN + (row + 0.5) * CELL_HEIGHT

    @property
    def size(self) -> tuple[float, float]:
        """(width, height) in pixels."""
        side = CIRCLES.get(self.kind)
        return (side, side) if side else (BOX_WIDTH, BOX_HEIGHT)


@dataclass(frozen=True)
class Arrow:
    """An arrow between two boxes.

    Attributes:
        start, end: names of boxes.
        text: beside it.
        dashed: as for a gradient, or what only happens in training.
        lane: None for the straight way (with a bend where the boxes are in different rows); a row
            through which the arrow makes a detour, as a skip connection does.

    Example:
        >>> Arrow("x", "plus", "identity shortcut", lane=-0.2).dashed
        False
    """

    start: str
    end: str
    text: str = ""
    dashed: bool = False
    lane: float | None = None


@dataclass(frozen=True)
class Plate:
    """A frame around what a graphical model repeats.

    Attributes:
        upper_left, lower_right: its corners, (column, row) on the grid; a box at (0, 0) reaches
            from -0.5 to 0.5 in both.
        text: in its lower right corner, how often it is repeated.

    Example:
        >>> of_all = Plate((-0.45, -0.45), (0.45, 0.45), "N")
        >>> drawing = Schematic([Box("x", (0, 0), "x", "observed")], [], "N images.", [of_all])
        >>> drawing.svg.count("<rect")  # the ground, and the plate
        2
    """

    upper_left: tuple[float, float]
    lower_right: tuple[float, float]
    text: str


class Schematic:
    """A drawing as the value of a cell.

    Attributes:
        description: what it shows, for readers who cannot see it.
        svg: the drawing.

    Example:
        >>> drawing = Schematic([Box("x", (0, 0), "x"), Box("D", (1, 0), "D")],
        ...                     [Arrow("x", "D")], "x goes into D.")
        >>> drawing.svg.count("<rect"), drawing
        (3, x goes into D.)
    """

    def __init__(
        self,
        boxes: Sequence[Box],
        arrows: Sequence[Arrow],
        description: str,
        plates: Sequence[Plate] = (),
    ):
        """Draw.

        Raises:
            ValueError: an arrow begins or ends at a box that is not there.
        """
        self.description = description
        named = {box.name: box for box in boxes}
        for arrow in arrows:
            if missing := {arrow.start, arrow.end} - set(named):
                raise ValueError(f"No box is called {missing.pop()!r}; there are {list(named)}.")
        columns = max(box.at[0] for box in boxes) + 1
        # A lane needs half a row, a box a whole one.
        rows = max([box.at[1] + 1 for box in boxes] + [(a.lane or 0) + 0.75 for a in arrows])
        width, height = columns * CELL_WIDTH + 2 * MARGIN, rows * CELL_HEIGHT + 2 * MARGIN
        parts = [_plate(plate) for plate in plates]
        parts += [_arrow(arrow, named[arrow.start], named[arrow.end]) for arrow in arrows]
        parts += [_box(box) for box in boxes]
        self.svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" role="img" aria-label="{escape(description)}" '
            'font-family="Helvetica, Arial, sans-serif" font-size="15">'
            '<defs><marker id="tip" viewBox="0 0 10 10" refX="9" refY="5" markerWidth="7" '
            'markerHeight="7" orient="auto-start-reverse"><path d="M0 0L10 5L0 10z" '
            'fill="#333333"/></marker></defs>'
            f'<rect width="{width:g}" height="{height:g}" fill="white"/>'
            + "".join(parts)
            + "</svg>"
        )

    def __repr__(self) -> str:
        return self.description

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"image/svg+xml": self.svg, "text/plain": self.description}


def _text(x: float, y: float, lines: str, size: int, colour: str = "#111111") -> str:
    lines = lines.split("\n")
    top = y - (len(lines) - 1) * 0.6 * size
    return "".join(
        f'<text x="{x:g}" y="{top + 1.2 * size * number:g}" text-anchor="middle" '
        f'dominant-baseline="central" font-size="{size}" fill="{colour}">{escape(line)}</text>'
        for number, line in enumerate(lines)
    )


def _box(box: Box) -> str:
    (x, y), (width, height) = box.centre, box.size
    fill, outline = COLOURS[box.kind]
    look = f'fill="{fill}" stroke="{outline}" stroke-width="2"'
    left, right, top, bottom = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    if box.kind in CIRCLES:
        shape = f'<circle cx="{x:g}" cy="{y:g}" r="{width / 2:g}" {look}/>'
    elif box.kind in ("encoder", "discriminator", "decoder", "generator"):
        narrow = height / 4
        before, after = (0, narrow) if box.kind in ("encoder", "discriminator") else (narrow, 0)
        points = [
            (left, top + before), (right, top + after), (right, bottom - after),
            (left, bottom - before),
        ]  # fmt: skip
        corners = " ".join(f"{px:g},{py:g}" for px, py in points)
        shape = f'<polygon points="{corners}" stroke-linejoin="round" {look}/>'
    else:
        radius = 24 if box.kind == "loss" else 6
        shape = (
            f'<rect x="{left:g}" y="{top:g}" width="{width:g}" height="{height:g}" '
            f'rx="{radius}" {look}/>'
        )
    beside = top - 11 if box.note_above else bottom + 12
    note = _text(x, beside, box.note, 12, "#555555") if box.note else ""
    return shape + _text(x, y, box.text, 15) + note


def _plate(plate: Plate) -> str:
    (left, top), (right, bottom) = (
        (MARGIN + (column + 0.5) * CELL_WIDTH, MARGIN + (row + 0.5) * CELL_HEIGHT)
        for column, row in (plate.upper_left, plate.lower_right)
    )
    frame = (
        f'<rect x="{left:g}" y="{top:g}" width="{right - left:g}" height="{bottom - top:g}" '
        'rx="10" fill="none" stroke="#333333" stroke-width="1.5"/>'
    )
    return frame + _text(right - 8 - 3.6 * len(plate.text), bottom - 14, plate.text, 13)


def _arrow(arrow: Arrow, start: Box, end: Box) -> str:
    points = _way(arrow, start, end)
    path = "M" + "L".join(f"{x:g} {y:g}" for x, y in points)
    dashes = ' stroke-dasharray="6 5"' if arrow.dashed else ""
    line = (
        f'<path d="{path}" fill="none" stroke="#333333" stroke-width="1.8"{dashes} '
        'marker-end="url(#tip)"/>'
    )
    if not arrow.text:
        return line
    lengths = [abs(c - a) + abs(d - b) for (a, b), (c, d) in zip(points, points[1:])]
    longest = lengths.index(max(lengths))
    (a, b), (c, d) = points[longest], points[longest + 1]
    aside = (0, -10) if b == d else (6 + 3.4 * len(arrow.text), 0)
    return line + _text((a + c) / 2 + aside[0], (b + d) / 2 + aside[1], arrow.text, 12, "#333333")


def _way(arrow: Arrow, start: Box, end: Box) -> list[tuple[float, float]]:
    """The corners of an arrow, from the edge of one box to that of the other."""
    (x, y), (u, v) = start.centre, end.centre
    (width, height), (end_width, end_height) = start.size, end.size
    if arrow.lane is not None:
        lane = MARGIN + (arrow.lane + 0.5) * CELL_HEIGHT
        down = 1 if lane > y else -1
        if lane == v:  # it arrives at the side
            return [
                (x, y + down * height / 2),
                (x, v),
                (u - (1 if u > x else -1) * end_width / 2, v),
            ]
        end_side = 1 if lane > v else -1
        return [
            (x, y + down * height / 2), (x, lane), (u, lane), (u, v + end_side * end_height / 2)
        ]  # fmt: skip
    sideways = 1 if u > x else -1
    if y == v:
        return [(x + sideways * width / 2, y), (u - sideways * end_width / 2, v)]
    if x == u:
        down = 1 if v > y else -1
        return [(x, y + down * height / 2), (u, v - down * end_height / 2)]
    middle = u - sideways * (end_width / 2 + (CELL_WIDTH - BOX_WIDTH) / 2)
    return [
        (x + sideways * width / 2, y), (middle, y), (middle, v), (u - sideways * end_width / 2, v)
    ]  # fmt: skip


def autoencoder(inputs: str = "x", code: str = "z", shape: str = "", code_shape: str = ""):
    """Encoder, code, decoder, and the reconstruction loss.

    Args:
        inputs, code: how they are called.
        shape, code_shape: of one batch, such as "(N, 784)".

    Example:
        >>> autoencoder().svg.startswith("<svg")
        True
    """
    return Schematic(
        [
            Box("x", (0, 0), inputs, note=shape, note_above=True),
            Box("f", (1, 0), "encoder f", "encoder"),
            Box("z", (2, 0), f"code {code}", note=code_shape),
            Box("g", (3, 0), "decoder g", "decoder"),
            Box("r", (4, 0), f"g(f({inputs}))", note=shape, note_above=True),
            Box("loss", (2, 1), "reconstruction\nloss", "loss"),
        ],
        [
            Arrow("x", "f"), Arrow("f", "z"), Arrow("z", "g"), Arrow("g", "r"),
            Arrow("x", "loss", lane=1), Arrow("r", "loss", lane=1),
        ],
        f"Autoencoder: {inputs} goes through an encoder to the code {code} and through a decoder "
        "to the reconstruction, which a loss compares with the input.",
    )  # fmt: skip


def latent_variable_model():
    """The graphical model of a VAE: z gives x with θ, the encoder with φ goes back (dashed).

    Drawn as in figure 1 of Kingma and Welling (2014), https://arxiv.org/abs/1312.6114, but for the
    prior, which has no parameters here.

    Example:
        >>> latent_variable_model().svg.count("<circle")  # z, x, and θ and φ without outline
        4
    """
    return Schematic(
        [
            Box("phi", (0, 0.4), "φ", "parameter", "weights of the encoder", note_above=True),
            Box("z", (1.2, 0.4), "z", "variable", "latent variable", note_above=True),
            Box("x", (2.6, 0.4), "x", "observed", "image, observed", note_above=True),
            Box("theta", (3.8, 0.4), "θ", "parameter", "weights of the decoder", note_above=True),
        ],
        [
            Arrow("z", "x", "decoder p(x|z)"),
            Arrow("x", "z", "encoder q(z|x)", dashed=True, lane=1.15),
            Arrow("phi", "z", dashed=True),
            Arrow("theta", "x"),
        ],
        "Graphical model: for each of N images a latent variable z is drawn from the prior, and "
        "the image x from p(x|z) with the parameters θ, which all images share; the encoder "
        "q(z|x) with the shared parameters φ goes from x back to z.",
        [Plate((0.7, -0.25), (3.1, 1.45), "N images")],
    )  # fmt: skip


def variational_autoencoder(shape: str = "(N, 784)", code_shape: str = "(N, d)"):
    """Encoder to μ and log σ², a sample of z, decoder, and both terms of the ELBO.

    Args:
        shape, code_shape: of a batch of inputs and of codes.

    Example:
        >>> variational_autoencoder().svg.startswith("<svg")
        True
    """
    return Schematic(
        [
            Box("x", (0, 0.5), "x", note=shape),
            Box("q", (1, 0.5), "encoder φ\nq(z|x)", "encoder"),
            Box("mu", (2, 0), "μ", "data", code_shape, note_above=True),
            Box("sigma", (2, 1), "log σ²", "data", code_shape, note_above=True),
            Box("z", (3.2, 0.5), "z = μ + σ ⊙ ε", "data", code_shape, note_above=True),
            Box("eps", (3.2, 1.6), "ε ~ N(0, I)"),
            Box("p", (4.3, 0.5), "decoder θ\np(x|z)", "decoder"),
            Box("r", (5.4, 0.5), "x̂", "data", shape, note_above=True),
            Box("kl", (1, 1.6), "KL(q(z|x)\n‖ p(z))", "loss"),
            Box("rec", (5.4, 1.6), "−log p(x|z)", "loss"),
        ],
        [
            Arrow("x", "q"), Arrow("q", "mu"), Arrow("q", "sigma"), Arrow("mu", "z"),
            Arrow("sigma", "z"), Arrow("eps", "z"), Arrow("z", "p"), Arrow("p", "r"),
            Arrow("q", "kl"), Arrow("r", "rec"),
        ],
        "Variational autoencoder: the encoder gives mean and variance, z is sampled from them by "
        "the reparameterization, the decoder gives the reconstruction; the loss is the "
        "reconstruction term plus the KL term.",
    )  # fmt: skip


def gan(noise_shape: str = "(N, d)", shape: str = "(N, 3, 32, 32)"):
    """Noise to the generator, real and fake to the discriminator, and the gradients back.

    Args:
        noise_shape, shape: of a batch of noise and of samples.

    Example:
        >>> gan().svg.startswith("<svg")
        True
    """
    return Schematic(
        [
            Box("z", (0, 1), "noise z", note=noise_shape),
            Box("G", (1, 1), "generator G", "generator"),
            Box("fake", (2, 1), "fake G(z)", note=shape),
            Box("real", (2, 0), "real x", note=shape),
            Box("D", (3.1, 0.5), "discriminator D", "discriminator"),
            Box("p", (4.2, 0.5), "D(·)", note="(N,), real or fake?"),
            Box("lossD", (5.3, 0), "loss_D", "loss"),
            Box("lossG", (5.3, 1), "loss_G", "loss"),
        ],
        [
            Arrow("z", "G"), Arrow("G", "fake"), Arrow("real", "D"), Arrow("fake", "D"),
            Arrow("D", "p"), Arrow("p", "lossD"), Arrow("p", "lossG"),
            Arrow("lossG", "G", "gradient, through D, to the weights of G", dashed=True, lane=2),
        ],
        "Generative adversarial network: the generator turns noise into fakes, the discriminator "
        "tells real from fake; loss_D trains D, and the gradient of loss_G reaches G through D.",
    )  # fmt: skip


def conditional_gan(condition: str = "label y", shape: str = "(N, 1, 28, 28)"):
    """A GAN whose generator and discriminator both get the condition.

    Args:
        condition: what is given.
        shape: of a batch of images.

    Example:
        >>> conditional_gan().svg.startswith("<svg")
        True
    """
    return Schematic(
        [
            Box("z", (0, 1), "noise z", note="(N, d)"),
            Box("y", (0, 2), condition),
            Box("G", (1.1, 1), "generator\nG(z, y)", "generator"),
            Box("fake", (2.2, 1), "fake x̂", note=shape),
            Box("real", (2.2, 0), "real x, its y", note=shape),
            Box("D", (3.4, 0.5), "discriminator\nD(x, y)", "discriminator"),
            Box("p", (4.5, 0.5), "real, and\ndoes it match y?"),
        ],
        [
            Arrow("z", "G"), Arrow("y", "G"), Arrow("G", "fake"), Arrow("real", "D"),
            Arrow("fake", "D"), Arrow("y", "D", lane=2), Arrow("D", "p"),
        ],
        "Conditional GAN: the condition y goes into the generator with the noise and into the "
        "discriminator with the image.",
    )  # fmt: skip


def image_to_image(name: str = "pix2pix"):
    """pix2pix: a generator with skip connections, a discriminator of pairs, an L1 loss.

    Args:
        name: for the description.

    Example:
        >>> image_to_image().svg.startswith("<svg")
        True
    """
    return Schematic(
        [
            Box("x", (0, 1), "input x", note="edge map, or grey"),
            Box("G", (1.2, 1), "generator G\n(U-Net)", "generator"),
            Box("fake", (2.4, 1), "output G(x)"),
            Box("y", (2.4, 0), "ground truth y"),
            Box("D", (3.7, 0.5), "discriminator\nof pairs", "discriminator", "patches"),
            Box("adv", (4.9, 0.5), "adversarial\nloss", "loss"),
            Box("l1", (2.4, 2.2), "L1 loss\n|y − G(x)|", "loss"),
        ],
        [
            Arrow("x", "G"), Arrow("G", "fake"), Arrow("fake", "D"), Arrow("y", "D"),
            Arrow("x", "D", "the input goes with both", lane=-0.35), Arrow("D", "adv"),
            Arrow("fake", "l1"),
        ],
        f"{name}: the generator translates the input, the discriminator sees input and output as "
        "a pair, and an L1 loss compares with the ground truth.",
    )  # fmt: skip


def cyclegan(x: str = "X", y: str = "Y"):
    """Both generators, both discriminators, and both cycles.

    After Zhu, Park, Isola and Efros (2017), figure 3.

    Args:
        x, y: names of the two domains.

    Example:
        >>> cyclegan().svg.startswith("<svg")
        True
    """
    return Schematic(
        [
            Box("y_real", (1.1, 0), f"y in {y}", note=f"samples of {y}", note_above=True),
            Box("D_Y", (2.2, 0), "D_Y", "discriminator"),
            Box("adv_Y", (3.3, 0), "adversarial\nloss", "loss"),
            Box("x", (0, 1), f"x in {x}"),
            Box("G", (1.1, 1), "generator G", "generator"),
            Box("fake_y", (2.2, 1), "G(x)"),
            Box("F", (3.3, 1), "generator F", "generator"),
            Box("x_again", (4.4, 1), "F(G(x))"),
            Box("cycle_x", (5.6, 1), "cycle loss\n|F(G(x)) − x|", "loss"),
            Box("y", (0, 2.6), f"y in {y}"),
            Box("F2", (1.1, 2.6), "generator F", "generator"),
            Box("fake_x", (2.2, 2.6), "F(y)"),
            Box("G2", (3.3, 2.6), "generator G", "generator"),
            Box("y_again", (4.4, 2.6), "G(F(y))"),
            Box("cycle_y", (5.6, 2.6), "cycle loss\n|G(F(y)) − y|", "loss"),
            Box("x_real", (1.1, 3.6), f"x in {x}", note=f"samples of {x}"),
            Box("D_X", (2.2, 3.6), "D_X", "discriminator"),
            Box("adv_X", (3.3, 3.6), "adversarial\nloss", "loss"),
        ],
        [
            *(Arrow(*pair.split()) for pair in (
                "x G", "G fake_y", "fake_y F", "F x_again", "x_again cycle_x", "fake_y D_Y",
                "y_real D_Y", "D_Y adv_Y", "y F2", "F2 fake_x", "fake_x G2", "G2 y_again",
                "y_again cycle_y", "fake_x D_X", "x_real D_X", "D_X adv_X",
            )),
            Arrow("x", "cycle_x", lane=1.6),
            Arrow("y", "cycle_y", lane=2.0),
        ],
        f"CycleGAN: G translates x to {y}, where D_Y compares G(x) with samples of {y}, and F "
        "translates back; the cycle loss compares F(G(x)) with x. Below, the same from y through "
        "F, D_X and G.",
    )  # fmt: skip


def diffusion():
    """Forward chain from data to noise, the denoiser and its loss, and the reverse chain.

    Example:
        >>> diffusion().svg.startswith("<svg")
        True
    """
    return Schematic(
        [
            Box("x0", (0, 0.7), "data x₀"),
            Box("before", (1.5, 0.7), "xₜ₋₁"),
            Box("xt", (3, 0.7), "xₜ"),
            Box("noise", (4.5, 0.7), "noise x_T", note="N(0, I)"),
            Box("denoiser", (3, 1.9), "denoiser θ\nof (xₜ, t)", "network"),
            Box("estimate", (1.5, 1.9), "x̂₀"),
            Box("loss", (0, 1.9), "‖x̂₀ − x₀‖²", "loss"),
        ],
        [
            Arrow("x0", "before", "…"), Arrow("before", "xt", "add noise: q"),
            Arrow("xt", "noise", "…"),
            Arrow("noise", "xt", "…", dashed=True, lane=-0.1),
            Arrow("xt", "before", "a step of sampling: p_θ", dashed=True, lane=-0.1),
            Arrow("before", "x0", "…", dashed=True, lane=-0.1),
            Arrow("xt", "denoiser"), Arrow("denoiser", "estimate"), Arrow("estimate", "loss"),
            Arrow("x0", "loss"), Arrow("estimate", "before", "", dashed=True),
        ],
        "Diffusion model: forward, noise is added to the data step by step until only noise is "
        "left. A denoiser is trained to estimate the data from a noisy example and the step. "
        "Sampling goes back (dashed): each step moves towards the denoiser's estimate.",
    )  # fmt: skip


def style_transfer(network: str = "pre-trained\nnetwork", content: str = "F", style: str = "G"):
    """Three images through one fixed network, the two-part loss, and the gradient to the pixels.

    After Gatys, Ecker and Bethge (2016), figure 2.

    Args:
        network: what stands in the boxes of the network.
        content, style: the symbols of the image's activations and Gram matrices.

    Example:
        >>> style_transfer().svg.count("stroke-dasharray")  # the gradient
        1
    """
    boxes, arrows = [], []
    rows = {
        "p": ("content image p", "P", "activations"),
        "x": ("image x\n(optimized)", f"{content}, {style}", "activations, Gram matrices"),
        "a": ("style image a", "A", "Gram matrices"),
    }
    for row, (name, (image, found, note)) in enumerate(rows.items()):
        boxes += [
            Box(name, (0 if name == "x" else 0.85, 1.1 * row), image),
            Box(f"net {name}", (1.9, 1.1 * row), network, "network", "weights fixed"),
            Box(f"found {name}", (2.95, 1.1 * row), found, note=note),
        ]
        arrows += [Arrow(name, f"net {name}"), Arrow(f"net {name}", f"found {name}")]
    boxes += [
        Box("content", (4.1, 0), "content loss", "loss"),
        Box("style", (4.1, 2.2), "style loss", "loss"),
        Box("sum", (4.95, 1.1), "+", "operation"),
    ]
    arrows += [
        Arrow("found p", "content"), Arrow("found x", "content"), Arrow("found x", "style"),
        Arrow("found a", "style"), Arrow("content", "sum"), Arrow("style", "sum"),
        Arrow("sum", "x", "gradient with respect to the pixels", dashed=True, lane=2.95),
    ]  # fmt: skip
    return Schematic(
        boxes,
        arrows,
        "Style transfer: the content image, the optimized image and the style image go through one "
        "network whose weights are fixed. The content loss compares activations, the style loss "
        "Gram matrices, and the gradient of their sum goes back to the pixels of the image.",
    )


def residual_block(width: str = "64 channels"):
    """Two convolutions, and the identity shortcut around them.

    Args:
        width: below the input.

    Example:
        >>> residual_block().svg.startswith("<svg")
        True
    """
    return Schematic(
        [
            Box("x", (0, 0.6), "x", note=width),
            Box("c1", (1, 0.6), "3×3 conv, BN\nReLU", "network"),
            Box("c2", (2.1, 0.6), "3×3 conv, BN", "network", "F(x)"),
            Box("plus", (3, 0.6), "+", "operation"),
            Box("relu", (3.9, 0.6), "ReLU", "network"),
            Box("out", (4.9, 0.6), "output", note="ReLU(x + F(x))"),
        ],
        [
            Arrow("x", "c1"), Arrow("c1", "c2"), Arrow("c2", "plus"), Arrow("plus", "relu"),
            Arrow("relu", "out"), Arrow("x", "plus", "identity shortcut", lane=-0.2),
        ],
        "Residual block: the input goes through two convolutions, F(x), and around them by the "
        "identity shortcut; the two are added.",
    )  # fmt: skip


def u_net(levels: Sequence[str] = ("64 × 64", "32 × 32", "16 × 16")):
    """An encoder and a decoder with skip connections between equal resolutions.

    Args:
        levels: the resolutions, from the largest.

    Example:
        >>> u_net().svg.startswith("<svg")
        True
    """
    depth = len(levels)
    boxes, arrows = [Box("x", (0, 0), "input")], [Arrow("x", "e0")]
    for number, level in enumerate(levels):
        column = number + 1
        boxes.append(Box(f"e{number}", (column, number), "conv", "network", level))
        if number < depth - 1:
            mirrored = 2 * depth - 1 - number
            boxes.append(Box(f"d{number}", (mirrored, number), "conv", "network", level))
            arrows += [
                Arrow(f"e{number}", f"e{number + 1}"),
                Arrow(f"e{number}", f"d{number}", "skip connection"),
            ]
            below = f"d{number + 1}" if number < depth - 2 else f"e{number + 1}"
            arrows.append(Arrow(below, f"d{number}"))
    boxes.append(Box("out", (2 * depth, 0), "output"))
    arrows.append(Arrow("d0", "out"))
    return Schematic(
        boxes,
        arrows,
        "U-Net: the resolution falls and rises again, and skip connections join layers of equal "
        "resolution.",
    )


def discriminative_and_generative():
    """A model of p(y|x), and below it one of p(x|y) and p(y) with what follows from them.

    Example:
        >>> discriminative_and_generative().svg.startswith("<svg")
        True
    """
    return Schematic(
        [
            Box("x", (0, 0), "data x"),
            Box("D", (1.25, 0), "discriminative\np(y|x)", "discriminator"),
            Box("y", (2.5, 0), "label y", note="where is the boundary?"),
            Box("prior", (0, 1.25), "label y", note="y ~ p(y)"),
            Box("G", (1.25, 1.25), "generative\np(x|y)", "generator"),
            Box("sample", (2.5, 1.25), "new data x", note="x ~ p(x|y)"),
            Box("bayes", (2.5, 2.25), "Bayes' rule", "loss"),
            Box("posterior", (3.75, 1.9), "p(y|x)", note="which class?"),
            Box("evidence", (3.75, 2.7), "p(x)", note="how likely are these data?"),
        ],
        [
            Arrow("x", "D"), Arrow("D", "y"), Arrow("prior", "G"), Arrow("G", "sample"),
            Arrow("G", "bayes", lane=2.25), Arrow("bayes", "posterior"),
            Arrow("bayes", "evidence"),
        ],
        "A discriminative model goes from the data x to the label y by p(y|x). A generative model "
        "goes from the label to new data by p(x|y); by Bayes' rule it also gives p(y|x) and p(x).",
    )  # fmt: skip


def taxonomy():
    """Generative models by what they do about the density, with the lessons of the course.

    After Goodfellow (2016), with diffusion models at their place.

    Example:
        >>> taxonomy().svg.startswith("<svg")
        True
    """
    leaves = {  # family: the kind of density it belongs to, its lesson
        "Gaussians\nlesson 00": ("tractable", "network"),
        "autoregressive\nmodels": ("tractable", "data"),
        "normalizing\nflows": ("tractable", "data"),
        "VAE\nlesson 03": ("bounded", "network"),
        "diffusion\nlesson 08": ("bounded", "network"),
        "energy-based\nmodels": ("unnormalized", "data"),
        "GANs: lessons\n04 to 06": ("implicit", "network"),
    }
    kinds = {"tractable": "tractable", "bounded": "lower bound\n(ELBO)",
             "unnormalized": "known up to\na constant"}  # fmt: skip
    apart = 0.76  # rows between two leaves
    rows: dict[str, list[float]] = {}
    boxes, arrows = [], []
    for number, (text, (parent, kind)) in enumerate(leaves.items()):
        rows.setdefault(parent, []).append(number * apart)
        boxes.append(Box(text, (3.9, number * apart), text, kind))
        arrows.append(Arrow(parent, text))
    for name, text in kinds.items():
        boxes.append(Box(name, (2.6, sum(rows[name]) / len(rows[name])), text, "loss"))
        arrows.append(Arrow("explicit", name))
    boxes += [
        Box("explicit", (1.3, sum(rows["bounded"]) / 2), "explicit\ndensity", "loss"),
        Box("implicit", (1.3, rows["implicit"][0]), "implicit\ndensity", "loss"),
        Box("root", (0, rows["unnormalized"][0]), "generative\nmodels", "loss"),
    ]
    arrows += [Arrow("root", "explicit"), Arrow("root", "implicit")]
    return Schematic(
        boxes,
        arrows,
        "A tree of generative models. Explicit density, tractable: Gaussian classifiers, "
        "autoregressive models, normalizing flows; with a lower bound: variational autoencoder, "
        "diffusion models; known up to a constant: energy-based models. Implicit density: GANs.",
    )


def residual_and_lstm():
    """A residual network and an LSTM beside each other: both add to what they carry along.

    Example:
        >>> residual_and_lstm().svg.count(">+<")
        2
    """
    return Schematic(
        [
            Box("x", (0, 0), "x", note="layer l - 1", note_above=True),
            Box("F", (2, 1), "F(x)", "network"),
            Box("plus", (3, 0), "+", "operation"),
            Box("y", (4, 0), "y", note="layer l", note_above=True),
            Box("c", (0, 2.1), "c", note="time t - 1"),
            Box("times", (1, 2.1), "×", "operation"),
            Box("f", (1, 3.1), "forget gate f", "network", "between 0 and 1"),
            Box("sum", (3, 2.1), "+", "operation"),
            Box("i", (3, 3.1), "input gate\n× candidate", "network"),
            Box("next", (4, 2.1), "c", note="time t"),
        ],
        [
            Arrow("x", "plus", "identity shortcut"), Arrow("x", "F", lane=1),
            Arrow("F", "plus", lane=0.99), Arrow("plus", "y"),
            Arrow("c", "times"), Arrow("times", "sum"), Arrow("sum", "next"),
            Arrow("f", "times"), Arrow("i", "sum"),
        ],
        "A residual block adds F(x) to x; an LSTM multiplies its cell state c by a forget gate and "
        "adds the candidate times the input gate.",
    )  # fmt: skip


def residual_flavours():
    """The residual block, the pre-activation block and the bottleneck, one in each row.

    Example:
        >>> residual_flavours().svg.count("identity shortcut")
        3
    """
    rows = {
        "residual block\n(2015)": (["3×3, 64\nBN, ReLU", "3×3, 64\nBN"], True),
        "pre-activation\n(2016)": (["BN, ReLU\n3×3, 64", "BN, ReLU\n3×3, 64"], False),
        "bottleneck\n(2015)": (["1×1, 64\nBN, ReLU", "3×3, 64\nBN, ReLU", "1×1, 256\nBN"], True),
    }
    boxes, arrows = [], []
    for number, (title, (steps, activated)) in enumerate(rows.items()):
        row = 0.6 + 1.4 * number
        name = [f"{number}.{place}" for place in range(8)]
        boxes.append(Box(name[0], (0, row), title))
        boxes += [
            Box(name[place], (place, row), step, "network") for place, step in enumerate(steps, 1)
        ]
        boxes.append(Box(name[4], (4, row), "+", "operation"))
        chain = [*name[: len(steps) + 1], name[4]]
        if activated:
            boxes.append(Box(name[5], (4.8, row), "ReLU", "network"))
            chain.append(name[5])
        boxes.append(Box(name[6], (5.7, row), "y"))
        arrows += [Arrow(start, end) for start, end in zip(chain, [*chain[1:], name[6]])]
        arrows.append(Arrow(name[0], name[4], "identity shortcut", lane=row - 0.72))
    return Schematic(
        boxes,
        arrows,
        "Three blocks. Residual: two convolutions, the sum with x, then a ReLU. Pre-activation: "
        "batch normalization and ReLU before each convolution, nothing after the sum. Bottleneck: "
        "1 × 1 to 64 channels, 3 × 3, 1 × 1 back to 256.",
    )


def concatenating_blocks(growth: int = 12):
    """A layer of DenseNet, and an Inception block: both concatenate where a ResNet adds.

    Args:
        growth: channels that a layer of DenseNet adds.

    Example:
        >>> concatenating_blocks().svg.count("concatenate")
        2
    """
    branches = {
        "1": ["1×1, 192"],
        "7": ["1×1, 128", "1×7, 128", "7×1, 192"],
        "77": ["1×1, 128", "7×1, 1×7,\n7×1 (128)", "1×7, 192"],
        "mean": ["mean of 3×3", "1×1, 192"],
    }
    boxes = [
        Box("x", (0, 0.6), "x", note="DenseNet"),
        Box("B", (1, 0.6), f"BN, ReLU\n1×1, {4 * growth}", "network"),
        Box("H", (2, 0.6), f"BN, ReLU\n3×3, {growth}", "network", "H(x)"),
        Box("join", (4, 0.6), "concatenate"),
        Box("y", (5, 0.6), "y", note=f"{growth} channels more"),
        Box("u", (0, 3.2), "x", note="Inception, 768 channels"),
        Box("joined", (4, 3.2), "concatenate"),
        Box("v", (5, 3.2), "y", note="4 × 192 channels"),
    ]
    arrows = [
        Arrow("x", "B"), Arrow("B", "H"), Arrow("H", "join"), Arrow("join", "y"),
        Arrow("x", "join", "all earlier channels", lane=-0.15), Arrow("joined", "v"),
    ]  # fmt: skip
    for row, (name, steps) in enumerate(branches.items()):
        chain = [f"{name}.{place}" for place in range(len(steps))]
        boxes += [
            Box(one, (place, 1.7 + row), step, "network")
            for place, (one, step) in enumerate(zip(chain, steps), 1)
        ]
        arrows += [Arrow(a, b) for a, b in zip(["u", *chain], [*chain, "joined"])]
    return Schematic(
        boxes,
        arrows,
        "A layer of DenseNet appends the channels it computes to those it was given; an Inception "
        "block appends the channels of four branches with kernels of different sizes.",
    )


# Maps of 224, 112, 56, 28, 14 and 7 pixels a side, and the linear layers.
SHADES = ("#FFFFFF", "#F1F1F1", "#DCEAF7", "#B5D3EE", "#DDF0E2", "#F8E3E6", "#DDDDDD")


class LayerRows(Schematic):
    """Whole networks as rows of layers, one under the other, with their shortcuts above.

    Attributes:
        description, svg: as of every `Schematic`.

    Example:
        >>> drawing = LayerRows({"two layers": ([("3×3, 64", 2), ("1000", 6)], [(0, 1)])}, "Two.")
        >>> drawing.svg.count("<rect"), drawing.svg.count("<path")  # the ground, layers; an arc
        (3, 1)
    """

    PITCH, WIDTH, HEIGHT, ROW, LEFT = 25, 20, 92, 150, 96

    def __init__(
        self,
        rows: dict[str, tuple[Sequence[tuple[str, int]], Sequence[tuple[int, int]]]],
        description: str,
    ):
        """Draw.

        Args:
            rows: name -> (layers, shortcuts); a layer is its text and a place in `SHADES`, a
                shortcut the layer after whose output it begins and the one at whose output it ends.
            description: for readers who cannot see it.
        """
        self.description = description
        longest = max(len(layers) for layers, _ in rows.values())
        width, height = self.LEFT + self.PITCH * longest + 10, self.ROW * len(rows)
        parts = []
        for number, (name, (layers, shortcuts)) in enumerate(rows.items()):
            top = self.ROW * number + 46
            parts.append(_text(self.LEFT / 2, top + self.HEIGHT / 2 - 6, name, 16))
            for place, (text, shade) in enumerate(layers):
                x = self.LEFT + self.PITCH * place
                middle = x + self.WIDTH / 2, top + self.HEIGHT / 2
                parts.append(
                    f'<rect x="{x}" y="{top}" width="{self.WIDTH}" height="{self.HEIGHT}" rx="3" '
                    f'fill="{SHADES[shade]}" stroke="#333333"/>'
                    f'<text x="{middle[0]}" y="{middle[1]}" text-anchor="middle" '
                    f'dominant-baseline="central" font-size="13" '
                    f'transform="rotate(-90 {middle[0]} {middle[1]})">{escape(text)}</text>'
                )
            for start, end in shortcuts:
                fits = layers[start][1] == layers[end][1]
                left, right = (
                    self.LEFT + self.PITCH * place + self.WIDTH + 3 for place in (start, end)
                )
                dashes = "" if fits else ' stroke-dasharray="5 4"'
                parts.append(
                    f'<path d="M{left} {top}C{left} {top - 38} {right} {top - 38} {right} {top}" '
                    f'fill="none" stroke="{PALETTE[0]}" stroke-width="2"{dashes}/>'
                )
        self.svg = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" '
            f'width="{width:g}" role="img" aria-label="{escape(description)}" '
            'font-family="Helvetica, Arial, sans-serif" font-size="13">'
            f'<rect width="{width:g}" height="{height:g}" fill="white"/>'
            + "".join(parts)
            + "</svg>"
        )


def resnet_34():
    """VGG-19, plain-34 and ResNet-34, layer by layer (He et al. 2015, figure 3).

    The colour of a layer is the size of its map. Shortcuts are dashed where the shape changes.

    Example:
        >>> resnet_34().svg.count("<path"), resnet_34().svg.count("dasharray")  # shortcuts
        (16, 3)
    """
    vgg = []
    for stage, convolutions in enumerate((2, 2, 4, 4, 4)):
        vgg += [(f"3×3, {64 * 2 ** min(stage, 3)}", stage)] * convolutions + [("pool", stage + 1)]
    plain = [("7×7, 64, /2", 1), ("pool", 2)]
    for stage, blocks in enumerate((3, 4, 6, 3)):
        halving = ", /2" if stage else ""
        plain += [(f"3×3, {64 * 2**stage}{halving}", stage + 2)]
        plain += [(f"3×3, {64 * 2**stage}", stage + 2)] * (2 * blocks - 1)
    plain += [("mean", 6), ("fc 1000", 6)]
    rows = {
        "VGG-19": ([*vgg, ("fc 4096", 6), ("fc 4096", 6), ("fc 1000", 6)], []),
        "plain-34": (plain, []),
        "ResNet-34": (plain, [(place, place + 2) for place in range(1, 33, 2)]),
    }
    return LayerRows(
        rows,
        "VGG-19 has 16 convolutions and 3 linear layers, plain-34 has 33 convolutions and one "
        "linear layer, and ResNet-34 is plain-34 with a shortcut around every two convolutions.",
    )

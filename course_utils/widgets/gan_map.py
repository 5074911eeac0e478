"""`GANMap`: a GAN that learns points of the plane, while its data are moved with the mouse."""

from __future__ import annotations

import copy
import dataclasses
import math
from collections.abc import Callable, Mapping, Sequence
from numbers import Real

import numpy
import torch
from torch import nn

from .. import metrics
from ..session.arguments import as_whole, shown, whole
from ..session.lab import Lab
from ..training.players import Players
from .gan_figure import SIDE, GANFigure
from .plane import Plane, Point, frame_of
from .shown import Shown
from .time_machine import lattice

RATES = (1e-4, 2e-4, 5e-4, 1e-3, 2e-3, 5e-3, 1e-2, 2e-2, 5e-2)
SEEDS = 10
STEP = 0.01  # of the sliders x and y
LOSSES = ("loss_D", "loss_G")
BY_SLIDERS = "The sliders mode, x and y move one mode of the data."
BY_HAND = (
    "Drag a mode of the data, or move it by the sliders. Click on the map to add one; double-click "
    "one to remove it."
)
DIVERGED = "The losses are no longer finite: choose a lower learning rate and restart."


class GANMap(Shown):
    """Data, generated samples and the discriminator's output in the plane, trained by a button.

    The background is D(x), from 0 (fake) to 1 (real). The modes of the data are dragged on the map
    or moved by the sliders `mode`, `x` and `y`, also while training goes on (the play button). A
    click adds a mode, a double-click removes one. Each step draws its random numbers anew from the
    seed and its own number, so that the same moves give the same image.

    Args:
        step: one step of training, as `fit` takes it: `step(real, nets, opts)`, where `real` is
            (batch, 1, 2), `nets.G` and `nets.D` are the networks, and `opts.G.minimise(loss)`
            and `opts.D.minimise(loss)` train them. It returns {"loss_D": ..., "loss_G": ...}.
        make_nets: () -> {"G": G, "D": D}, called for each start: G from z (1, batch, latent) to
            points (1, batch, 2), D from points to logits (1, batch).
        mixture: the data at the start, such as `data.mixtures.ring().standardised()`.
        lab: the session: device and precision.
        description: a sentence for readers who cannot see the image.
        latent: dimensions of z.
        batch_size: samples of the data in a step.
        lr: learning rate at the start, one of `RATES`.
        betas: Adam's two decay rates.
        reach: the map shows [-reach, reach]².

    Attributes:
        sliders: name -> the ipywidgets control: mode, x, y, learning_rate, steps, seed.
        buttons: name -> the ipywidgets Button: train, restart, ring.
        play: the ipywidgets Play, which trains 20 steps at a time until it is paused.
        plane: the `Plane` with the handles.
        points: where the modes are, (x, y) each.
        nets: the networks being trained: `nets.G`, `nets.D`.
        losses: {"loss_D": [...], "loss_G": [...]}, one number a step.

    Example:
        >>> import course_utils
        >>> from course_utils.data import mixtures
        >>> from course_utils.models import perceptrons
        >>> from torch.nn.functional import softplus
        >>> lab = course_utils.start("example")
        course_utils ...
        >>> def step(real, nets, opts):
        ...     real = real.transpose(0, 1)  # (1, batch, 2), as the networks take it
        ...     fake = nets.G(torch.randn_like(real)).detach()
        ...     loss_D = (softplus(-nets.D(real)) + softplus(nets.D(fake))).mean()
        ...     opts.D.minimise(loss_D)
        ...     loss_G = softplus(-nets.D(nets.G(torch.randn_like(real)))).mean()
        ...     opts.G.minimise(loss_G)
        ...     return {"loss_D": loss_D, "loss_G": loss_G}
        >>> def make_nets():
        ...     D = nn.Sequential(perceptrons(1, 2, 1, (64, 64)), nn.Flatten(1))
        ...     return {"G": perceptrons(1, 2, 2, (64, 64)), "D": D}
        >>> ring = mixtures.ring().standardised()
        >>> gan_map = GANMap(step, make_nets, ring, lab, "A GAN learns a ring.")
        >>> moved = gan_map.set(mode=1, x=0.0, y=0.5).train(20)
        >>> gan_map.points[0], len(gan_map.losses["loss_D"])
        ((0.0, 0.5), 20)
    """

    COUNTED = 2000  # samples, for the modes in the title
    A_TICK = 20  # steps between two images while the play button trains
    MOST_MODES = 25

    def __init__(
        self,
        step: Callable,
        make_nets: Callable[[], Mapping[str, nn.Module]],
        mixture,
        lab: Lab,
        description: str,
        *,
        latent: int = 2,
        batch_size: int = 128,
        lr: float = 2e-3,
        betas: tuple[float, float] = (0.0, 0.99),
        reach: float = 2.4,
    ):
        self.step, self.make_nets, self.lab, self.description = step, make_nets, lab, description
        self.latent, self.batch_size, self.betas, self.reach = latent, batch_size, betas, reach
        if lr not in RATES:
            raise ValueError(f"lr is {shown(lr)}; use one of {', '.join(map(str, RATES))}.")
        self.mixture = mixture.to(lab.device)
        random_numbers = torch.Generator().manual_seed(0)
        self.z = torch.randn(1, self.COUNTED, latent, generator=random_numbers).to(lab.device)
        self.surface_points = lattice(SIDE, reach)[None].to(lab.device)

        self.points, self.chosen = self._checked(mixture.means.tolist()), 0
        self.first_points = list(self.points)
        self._mirroring = False

        self.figure = GANFigure(reach)
        self._make_controls(lr)
        self._begin()
        self.image = self._draw()
        height, width, _ = self.image.shape
        self.plane = Plane(
            self.png,
            self.points,
            lambda: self._move(self.plane.points, self.plane.chosen, by_hand=True),
            extent=(-reach, reach, -reach, reach),
            frame=frame_of(self.figure.map, height, width),
            most=self.MOST_MODES,
            label="mode",
            max_width=f"{74 * width / height:.0f}vh",  # so low that all of it is on the screen
        )
        self._mirror()
        self._lay_out()

    @property
    def nets(self):
        """The networks that are trained: `nets.G` and `nets.D`."""
        return self.players.nets

    def train(self, steps: int | None = None) -> GANMap:
        """Train for some steps and redraw, as the button does.

        Args:
            steps: how many; the position of the slider `steps` if this is None.

        Returns:
            the widget itself.

        Raises:
            Exception: whatever `step` raises, also shown as a sentence.
        """
        steps = self.sliders["steps"].value if steps is None else whole(steps, "steps")
        with self._showing_errors("This step cannot be trained"):
            with torch.random.fork_rng(self._cuda()):
                for _ in range(steps):
                    self._train_once()
        self._look()
        self._redraw()
        return self

    def restart(self) -> GANMap:
        """Begin again with new networks from the slider `seed`; the data stay where they are.

        Returns:
            the widget itself.
        """
        self._begin()
        self._redraw()
        return self

    def set(self, points: Sequence[Point] | None = None, **values) -> GANMap:
        """Move modes and sliders from code, and redraw.

        Args:
            points: where the modes are to be, (x, y) each.
            values: slider -> its new value. `mode` counts from 1 and is moved before x and y; a
                new `seed` restarts.

        Returns:
            the widget itself.

        Raises:
            KeyError: there is no slider of that name; nothing is moved.
            ValueError: a point or a value is out of range; nothing is moved.
        """
        points = self.points if points is None else self._checked(points)
        for name, value in values.items():
            if name not in self.sliders:
                raise KeyError(f"No slider {name!r}; there are {', '.join(self.sliders)}.")
            if not self._has_position(name, value, len(points)):
                raise ValueError(f"The slider {name} has no position {shown(value)}.")
        chosen = min(self.chosen, len(points) - 1)
        chosen = int(values.pop("mode", chosen + 1)) - 1
        x, y = points[chosen]
        points = _replaced(points, chosen, (float(values.pop("x", x)), float(values.pop("y", y))))
        if (points, chosen) != (self.points, self.chosen):
            self._move(points, chosen)
        for name, value in values.items():
            self.sliders[name].value = value
        return self

    def sweep(self) -> str:
        """Use every control and put everything back, and report what was drawn.

        Returns:
            how many controls changed the image, in one line.

        Raises:
            RuntimeError: a control changed nothing in the image.
        """
        kept, buttons = self._state(), self.buttons
        first, last = RATES[0], RATES[-1]
        moves = {
            "mode": lambda: self.set(points=[(0, 0), (1, 1)], mode=2),
            "x": lambda: self.set(x=-self.reach),
            "y": lambda: self.set(y=self.reach),
            "points": lambda: self.set(points=[*self.points, (0.5, 0)]),
            "seed": lambda: self.set(seed=(self.sliders["seed"].value + 1) % SEEDS),
            "steps": lambda: self.set(steps=10, learning_rate=first).train(),
            "learning_rate": lambda: self.restart().set(learning_rate=last).train(),
            "train": buttons["train"].click,
            "ring": buttons["ring"].click,
            "restart": buttons["restart"].click,
        }
        for name, move in moves.items():
            before = self.png
            move()
            if self.png == before:
                raise RuntimeError(f"Using {name} changed nothing in the image.")
        self._put_back(kept)
        return f"{len(moves)} controls changed the image"

    # Training

    def _begin(self) -> None:
        """New networks and optimisers."""
        self.losses: dict[str, list[float]] = {name: [] for name in LOSSES}
        with torch.random.fork_rng(self._cuda()):
            torch.manual_seed(self.sliders["seed"].value)
            nets = self.make_nets()
        rate = self.sliders["learning_rate"]
        # The rate of each step is 1 times what the slider says.
        self.players = Players(nets, 1.0, self.betas, self.lab, lambda progress: rate.value)
        self._look()

    def _train_once(self) -> None:
        done = len(self.losses[LOSSES[0]])
        torch.manual_seed(self.sliders["seed"].value * 1_000_003 + done)
        real = self.mixture.sample(self.batch_size, 1)
        self.players.begin_step(progress=0.0, share=1.0)
        with self.players.autocast:
            measures = self.step(real, self.players.nets, self.players.opts)
        if not isinstance(measures, Mapping) or not set(LOSSES) <= set(measures):
            raise ValueError(f"The step returned {shown(measures)}; it must return a dict of "
                             f"{' and '.join(LOSSES)}.")  # fmt: skip
        for name in LOSSES:
            self.losses[name].append(float(torch.as_tensor(measures[name]).detach()))

    def _cuda(self) -> list[torch.device]:
        """The devices besides the CPU whose random numbers a step draws."""
        return [self.lab.device] if self.lab.device.type == "cuda" else []

    # Moving

    def _move(self, points: list[Point], chosen: int, by_hand: bool = False) -> None:
        """Move the modes, and the handles and sliders with them."""
        self.points, self.chosen = points, chosen
        means = torch.tensor(points, device=self.lab.device)
        self.mixture = dataclasses.replace(self.mixture, means=means)
        if not by_hand:
            self.plane.put(points, chosen)
        self._mirror()
        self._redraw()

    def _mirror(self) -> None:
        """Let the sliders show the chosen mode, x and y at their nearest positions."""
        self._mirroring = True
        self.sliders["mode"].max = len(self.points)
        self.sliders["mode"].value = self.chosen + 1
        for name, value in zip("xy", self.points[self.chosen]):
            self.sliders[name].index = round((value + self.reach) / STEP)
        self._mirroring = False

    def _slid_mode(self, change) -> None:
        if not self._mirroring:
            self._move(self.points, change["new"] - 1)

    def _slid_x(self, change) -> None:
        if not self._mirroring:
            _, y = self.points[self.chosen]
            self._move(_replaced(self.points, self.chosen, (change["new"], y)), self.chosen)

    def _slid_y(self, change) -> None:
        if not self._mirroring:
            x, _ = self.points[self.chosen]
            self._move(_replaced(self.points, self.chosen, (x, change["new"])), self.chosen)

    def _checked(self, points: Sequence[Point]) -> list[Point]:
        rows = points.tolist() if hasattr(points, "tolist") else points
        good = isinstance(rows, Sequence) and 1 <= len(rows) <= self.MOST_MODES
        if not good or not all(map(self._is_inside, rows)):
            raise ValueError(
                f"The points are {shown(points)}; give 1 to {self.MOST_MODES} pairs (x, y) of "
                f"numbers from {-self.reach} to {self.reach}."
            )
        return [(float(x), float(y)) for x, y in rows]

    def _is_inside(self, point) -> bool:
        pair = isinstance(point, Sequence) and len(point) == 2
        return pair and all(isinstance(n, Real) and abs(n) <= self.reach for n in point)

    def _has_position(self, name: str, value, modes: int) -> bool:
        slider = self.sliders[name]
        if name in ("x", "y"):
            return isinstance(value, Real) and abs(value) <= self.reach
        if name == "learning_rate":
            return value in RATES
        most = modes if name == "mode" else slider.max
        return as_whole(value) is not None and slider.min <= value <= most

    # What sweep puts back

    def _state(self):
        adams = {name: opt.adam.state_dict() for name, opt in vars(self.players.opts).items()}
        settings = {name: self.sliders[name].value for name in ("learning_rate", "steps", "seed")}
        moved = self.losses, self.points, self.chosen
        return copy.deepcopy((settings, self.players.weights(), adams, *moved))

    def _put_back(self, state) -> None:
        settings, weights, adams, losses, points, chosen = state
        self.set(**settings)
        self._begin()
        self.players.put_back(weights)
        for name, adam in adams.items():
            getattr(self.players.opts, name).adam.load_state_dict(adam)
        self.losses = losses
        self._look()
        self._move(points, chosen)

    # Showing

    @torch.no_grad()
    def _look(self) -> None:
        """Draw all that training changes."""
        self.fakes = self.nets.G(self.z)[0].float().cpu()
        probability = self.nets.D(self.surface_points).float().cpu().sigmoid()
        self.figure.show_training(self.fakes, probability.view(SIDE, SIDE), self.losses)

    def _draw(self) -> numpy.ndarray:
        """The image with the data as they are now."""
        mixture = self.mixture.to("cpu")
        found = metrics.coverage(self.fakes, mixture)
        title = (
            f"step {len(self.losses[LOSSES[0]]):,}: {int(found['modes'])} of {len(self.points)} "
            f"modes, {found['high quality']:.0%} high quality"
        )
        return self.figure.image(mixture.means, self.chosen, mixture.std, title)

    def _redraw(self) -> None:
        self.image = self._draw()
        self.plane.show(self.png)
        finite = all(math.isfinite(values[-1]) for values in self.losses.values() if values)
        self._say("" if finite else DIVERGED)

    def _make_controls(self, lr: float) -> None:
        import ipywidgets

        look = {"style": {"description_width": "6.5em"}, "layout": {"width": "100%"}}
        # Not FloatSliders: a browser rounds the value of one to its step and sends it back, which
        # would be a move. These hold the number of a position.
        numbers = range(1 + round(2 * self.reach / STEP))
        places = [round(STEP * number - self.reach, 6) for number in numbers]
        place = {"options": [(f"{value:.2f}", value) for value in places]}
        modes = len(self.points)
        self.sliders = {
            "mode": ipywidgets.IntSlider(value=1, min=1, max=modes, description="mode", **look),
            "x": ipywidgets.SelectionSlider(description="x", **place, **look),
            "y": ipywidgets.SelectionSlider(description="y", **place, **look),
            "learning_rate": ipywidgets.SelectionSlider(
                options=RATES, value=lr, description="learning rate", **look
            ),
            "steps": ipywidgets.IntSlider(
                value=100, min=10, max=500, step=10, description="steps", **look
            ),
            "seed": ipywidgets.IntSlider(value=0, min=0, max=SEEDS - 1, description="seed", **look),
        }
        wide = {"layout": {"width": "auto", "flex": "1 1 auto"}}
        self.buttons = {
            "train": ipywidgets.Button(button_style="primary", **wide),
            "restart": ipywidgets.Button(description="Restart", **wide),
            "ring": ipywidgets.Button(description="Ring again", **wide),
        }
        self.play = ipywidgets.Play(min=0, max=1_000_000, interval=100, show_repeat=False)
        self.message = ipywidgets.HTML(layout={"display": "none"})

        def name_train(change=None) -> None:
            self.buttons["train"].description = f"Train {self.sliders['steps'].value} steps"

        name_train()
        self.sliders["mode"].observe(self._slid_mode, names="value")
        self.sliders["x"].observe(self._slid_x, names="value")
        self.sliders["y"].observe(self._slid_y, names="value")
        self.sliders["steps"].observe(name_train, names="value")
        self.sliders["seed"].observe(lambda change: self.restart(), names="value")
        self.buttons["train"].on_click(lambda button: self.train())
        self.buttons["restart"].on_click(lambda button: self.restart())
        self.buttons["ring"].on_click(lambda button: self._move(list(self.first_points), 0))
        self.play.observe(self._tick, names="value")

    def _tick(self, change) -> None:
        if change["new"] > change["old"]:  # not when the stop button sets it back to 0
            self.train(self.A_TICK)

    def _lay_out(self) -> None:
        import ipywidgets

        rows = [
            ipywidgets.HBox([self.buttons["train"], self.play]),
            ipywidgets.HBox([self.buttons["restart"], self.buttons["ring"]]),
        ]
        said = BY_HAND if self.plane.handles else BY_SLIDERS
        hint = ipywidgets.HTML(f'<div style="line-height: 1.4">{said}</div>')
        controls = ipywidgets.VBox(
            [*rows, *self.sliders.values(), hint, self.message],
            layout={"flex": "1 1 17em"},
        )
        # Beside each other on a wide page, under each other on a narrow one.
        right = ipywidgets.VBox([self.plane.box], layout={"flex": "6 1 32em", "min_width": "0"})
        self.box = ipywidgets.HBox([controls, right], layout={"flex_flow": "row wrap"})


def _replaced(points: list[Point], number: int, point: Point) -> list[Point]:
    return [*points[:number], point, *points[number + 1 :]]

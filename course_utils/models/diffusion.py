"""Diffusion and flow matching: noise schedules, denoising networks, and samplers.

Time runs from data to noise in both: t = 0 is an example x₀, t = 1 (step T of a schedule) is noise.
The networks take the time as a number in [0, 1], so that one class serves every schedule and the
straight paths of flow matching. The samplers are functions of a network's prediction.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ..session.arguments import real, whole
from .perceptrons import ParallelLinear
from .sizes import check_sizes


@dataclass(frozen=True)
class Schedule:
    """How much of the data is left after t steps of noise: ᾱ_t, t = 0 … T (Ho et al. 2020).

    A step is x_t = √α_t x_{t-1} + √(1 - α_t) ε, and ᾱ_t = α_1 ⋯ α_t, so that in closed form
    x_t = √ᾱ_t x₀ + √(1 - ᾱ_t) ε.

    Attributes:
        alpha_bar: (T + 1,), falling from 1 at t = 0 to about 0.

    Example:
        >>> schedule = linear_schedule()
        >>> schedule.steps, len(schedule.alpha_bar), round(schedule.sigma[-1].item(), 4)
        (1000, 1001, 1.0)
    """

    alpha_bar: Tensor

    @property
    def steps(self) -> int:
        """T, how many steps of noise."""
        return len(self.alpha_bar) - 1

    @property
    def sigma(self) -> Tensor:
        """√(1 - ᾱ_t), (T + 1,): the standard deviation of the noise in x_t."""
        return (1 - self.alpha_bar).sqrt()

    def noised(self, x0: Tensor, t: Tensor, noise: Tensor) -> Tensor:
        """x_t in closed form.

        Args:
            x0: (..., d) points or (N, C, H, W) images.
            t: whole numbers in 0 … T, the leading dimensions of `x0`.
            noise: like `x0`, standard normal.

        Example:
            >>> t = torch.tensor([0, 1000])
            >>> linear_schedule().noised(torch.ones(2, 2), t, torch.zeros(2, 2))[0]
            tensor([1., 1.])
        """
        kept = self.at(t, x0)
        return kept.sqrt() * x0 + (1 - kept).sqrt() * noise

    def at(self, t: Tensor | int, like: Tensor) -> Tensor:
        """ᾱ_t with the number of dimensions of `like`, so that it multiplies it."""
        kept = self.alpha_bar[torch.as_tensor(t, device=self.alpha_bar.device)]
        return kept.to(like.dtype).view(*kept.shape, *[1] * (like.dim() - kept.dim()))

    def times(self, steps: int) -> list[int]:
        """`steps` + 1 evenly spaced whole numbers from T down to 0.

        Raises:
            ValueError: fewer than one step, or more than T.

        Example:
            >>> linear_schedule().times(4)
            [1000, 750, 500, 250, 0]
        """
        steps = whole(steps, "The number of steps", most=self.steps)
        return [round(self.steps * (1 - number / steps)) for number in range(steps + 1)]

    def to(self, device) -> Schedule:
        """The schedule with its numbers on a device."""
        return Schedule(self.alpha_bar.to(device))


def linear_schedule(steps: int = 1000, first: float = 1e-4, last: float = 0.02) -> Schedule:
    """β_t = 1 - α_t rises on a line from `first` to `last` (Ho et al. 2020, for T = 1000).

    Args:
        steps: T.
        first, last: β_1 and β_T, in (0, 1).

    Example:
        >>> round(linear_schedule().alpha_bar[500].item(), 4)
        0.0786
    """
    beta = torch.linspace(_share(first), _share(last), whole(steps, "steps"), dtype=torch.float64)
    return _schedule(torch.cumprod(1 - beta, dim=0))


def cosine_schedule(steps: int = 1000, offset: float = 0.008) -> Schedule:
    """ᾱ_t falls like a squared cosine (Nichol and Dhariwal 2021); β_t is at most 0.999.

    Args:
        steps: T.
        offset: keeps the first steps from being too small.

    Example:
        >>> round(cosine_schedule().alpha_bar[500].item(), 3)
        0.494
    """
    t = torch.arange(whole(steps, "steps") + 1, dtype=torch.float64) / steps
    kept = torch.cos((t + offset) / (1 + offset) * math.pi / 2).square()
    beta = (1 - kept[1:] / kept[:-1]).clamp(max=0.999)
    return _schedule(torch.cumprod(1 - beta, dim=0))


def geometric_schedule(
    steps: int = 1000, smallest: float = 0.002, largest: float = 80.0
) -> Schedule:
    """The ratio of noise to data, √(1 - ᾱ_t) / √ᾱ_t, grows by the same factor at every step.

    Every scale of the data gets equally many steps, which details need that are a hundredth of the
    whole. The ends are those of Karras et al. (2022).

    Args:
        steps: T.
        smallest, largest: the ratio at t = 1 and at t = T.

    Example:
        >>> schedule = geometric_schedule()
        >>> ratio = schedule.sigma / schedule.alpha_bar.sqrt()
        >>> round(ratio[1].item(), 4), round(ratio[-1].item(), 1)
        (0.002, 80.0)
    """
    positive = "a positive number"
    ends = [
        math.log(real(end, name, positive, lambda ratio: 0 < ratio < math.inf))
        for end, name in ((smallest, "smallest"), (largest, "largest"))
    ]
    ratio = torch.linspace(*ends, whole(steps, "steps"), dtype=torch.float64).exp()
    return _schedule(1 / (1 + ratio.square()))


def time_features(t: Tensor, count: int = 32, highest: float = 100.0) -> Tensor:
    """Sines and cosines of the time, (..., count), for times (...) in [0, 1].

    Args:
        count: how many, an even number; half are sines.
        highest: the largest frequency, in radians; the smallest is 1.

    Example:
        >>> time_features(torch.rand(5), count=8).shape
        torch.Size([5, 8])
    """
    powers = torch.linspace(0, 1, count // 2, device=t.device, dtype=t.dtype)
    angles = t[..., None] * highest**powers
    return torch.cat([angles.sin(), angles.cos()], dim=-1)


class PointDenoiser(nn.Module):
    """A perceptron for points of the plane: (x_t, t) or (x_t, t, y) -> a prediction like x_t.

    What is predicted (the noise ε, x₀, v, or the velocity of a flow) is what it is trained for.
    Beside x_t itself it is given sines and cosines of x_t: with them a small network can tell
    points that are a hundredth apart (Tancik et al. 2020).

    Args:
        condition: how many dimensions y has; 0 for none.
        width: units of each hidden layer.
        layers: how many hidden layers.
        octaves: frequencies 1, 2, 4, … of x_t, in radians; 0 for x_t alone.
        runs: independent networks side by side, on (runs, N, 2); 0 for one, on (..., 2).

    Example:
        >>> PointDenoiser()(torch.randn(5, 2), torch.rand(5)).shape
        torch.Size([5, 2])
        >>> PointDenoiser(runs=3)(torch.randn(3, 5, 2), torch.rand(3, 5)).shape
        torch.Size([3, 5, 2])
    """

    def __init__(
        self,
        condition: int = 0,
        width: int = 128,
        layers: int = 3,
        octaves: int = 4,
        runs: int = 0,
    ):
        super().__init__()
        check_sizes(width=width, layers=layers)
        self.condition, self.octaves, self.runs = condition, octaves, runs

        def linear(inputs, outputs):
            return ParallelLinear(runs, inputs, outputs) if runs else nn.Linear(inputs, outputs)

        widths = [2 + 4 * octaves + 32 + condition, *[width] * layers]
        hidden = [part for pair in zip(widths, widths[1:]) for part in (linear(*pair), nn.SiLU())]
        self.layers = nn.Sequential(*hidden, linear(width, 2))

    def forward(self, x: Tensor, t: Tensor | float, y: Tensor | None = None) -> Tensor:
        """A prediction like x (..., 2), for times t (...) in [0, 1] or one time for all.

        y (..., condition) is the condition; without it, zeros.
        """
        t = torch.as_tensor(t, dtype=x.dtype, device=x.device).expand(x.shape[:-1])
        angles = [x * 2**octave for octave in range(self.octaves)]
        parts = [x, *(wave for angle in angles for wave in (angle.sin(), angle.cos()))]
        parts.append(time_features(t))
        if self.condition:
            parts.append(x.new_zeros(*x.shape[:-1], self.condition) if y is None else y)
        return self.layers(torch.cat(parts, dim=-1))


class ModulatedBlock(nn.Module):
    """Two convolutions beside a shortcut, scaled and shifted by the time and the condition.

    Args:
        inputs, outputs: channels that come in and go out.
        embedding: dimensions of what describes time and condition.

    Example:
        >>> ModulatedBlock(8, 16, 4)(torch.rand(2, 8, 7, 7), torch.rand(2, 4)).shape
        torch.Size([2, 16, 7, 7])
    """

    def __init__(self, inputs: int, outputs: int, embedding: int):
        super().__init__()
        check_sizes(inputs=inputs, outputs=outputs, embedding=embedding)
        self.first = nn.Sequential(
            nn.GroupNorm(1, inputs), nn.SiLU(), nn.Conv2d(inputs, outputs, 3, padding=1)
        )
        self.modulation = nn.Linear(embedding, 2 * outputs)
        self.norm = nn.GroupNorm(1, outputs)
        self.second = nn.Conv2d(outputs, outputs, 3, padding=1)
        self.shortcut = nn.Conv2d(inputs, outputs, 1) if inputs != outputs else nn.Identity()
        nn.init.zeros_(self.second.weight)  # every block begins as its shortcut
        nn.init.zeros_(self.second.bias)

    def forward(self, x: Tensor, embedding: Tensor) -> Tensor:
        """(N, outputs, H, W) for x (N, inputs, H, W) and embeddings (N, embedding)."""
        scale, shift = self.modulation(embedding)[:, :, None, None].chunk(2, dim=1)
        h = self.norm(self.first(x)) * (1 + scale) + shift
        return self.shortcut(x) + self.second(nn.functional.silu(h))


class SmallUNet(nn.Module):
    """A U-Net for images: (x_t, t) or (x_t, t, y) -> a prediction like x_t (Ho et al. 2020).

    Two resolutions with skip connections between them; blocks of 2 × 2 pixels are folded into
    channels first, which makes it four times as fast on a CPU.

    Args:
        channels: colours of an image.
        condition: how many dimensions y has; 0 for none.
        width: channels at the finer of the two resolutions; the coarser has twice as many.
        embedding: dimensions of what describes time and condition.

    Example:
        >>> SmallUNet(1, width=8)(torch.randn(5, 1, 28, 28), torch.rand(5)).shape
        torch.Size([5, 1, 28, 28])
    """

    def __init__(self, channels: int = 3, condition: int = 0, width: int = 32, embedding: int = 64):
        super().__init__()
        check_sizes(channels=channels, width=width, embedding=embedding)
        self.channels, self.condition = channels, condition
        self.time = nn.Sequential(nn.Linear(32, embedding), nn.SiLU())
        self.label = nn.Linear(condition, embedding, bias=False) if condition else None
        self.describe = nn.Sequential(nn.Linear(embedding, embedding), nn.SiLU())
        self.enter = nn.Sequential(
            nn.PixelUnshuffle(2), nn.Conv2d(4 * channels, width, 3, padding=1)
        )
        self.down = nn.ModuleList([ModulatedBlock(width, width, embedding) for _ in range(2)])
        self.shrink = nn.Conv2d(width, 2 * width, 3, stride=2, padding=1)
        self.coarse = nn.ModuleList(
            [ModulatedBlock(2 * width, 2 * width, embedding) for _ in range(3)]
        )
        self.enlarge = nn.Sequential(
            nn.Upsample(scale_factor=2), nn.Conv2d(2 * width, width, 3, padding=1)
        )
        self.up = nn.ModuleList([ModulatedBlock(2 * width, width, embedding) for _ in range(2)])
        self.leave = nn.Sequential(
            nn.GroupNorm(1, width),
            nn.SiLU(),
            nn.Conv2d(width, 4 * channels, 3, padding=1),
            nn.PixelShuffle(2),
        )

    def forward(self, x: Tensor, t: Tensor | float, y: Tensor | None = None) -> Tensor:
        """A prediction like x (N, channels, H, W), H and W multiples of 4, for t (N,) in [0, 1].

        y (N, condition) is the condition; a row of zeros, or no y at all, is "no condition".

        Raises:
            ValueError: images of another shape.
        """
        if x.dim() != 4 or x.shape[1] != self.channels or x.shape[2] % 4 or x.shape[3] % 4:
            raise ValueError(
                f"This network takes (N, {self.channels}, H, W) with H and W multiples of 4; "
                f"these are {tuple(x.shape)}."
            )
        t = torch.as_tensor(t, dtype=x.dtype, device=x.device).expand(len(x))
        e = self.time(time_features(t))
        if self.condition and y is not None:
            e = e + self.label(y)
        e = self.describe(e)
        h, kept = self.enter(x), []
        for block in self.down:
            h = block(h, e)
            kept.append(h)
        h = self.shrink(h)
        for block in self.coarse:
            h = block(h, e)
        h = self.enlarge(h)
        for block in self.up:
            h = block(torch.cat([h, kept.pop()], dim=1), e)
        return self.leave(h)


def noise_from_x0(x0: Tensor, x_t: Tensor, alpha_bar: Tensor) -> Tensor:
    """ε of x_t = √ᾱ x₀ + √(1 - ᾱ) ε, where x₀ is known; ᾱ < 1.

    Example:
        >>> round(noise_from_x0(torch.tensor(1.0), torch.tensor(1.4), torch.tensor(0.64)).item(), 3)
        1.0
    """
    return (x_t - alpha_bar.sqrt() * x0) / (1 - alpha_bar).sqrt()


def x0_from_noise(noise: Tensor, x_t: Tensor, alpha_bar: Tensor) -> Tensor:
    """x₀ of x_t = √ᾱ x₀ + √(1 - ᾱ) ε, where ε is known; ᾱ > 0.

    Example:
        >>> round(x0_from_noise(torch.tensor(1.0), torch.tensor(1.4), torch.tensor(0.64)).item(), 3)
        1.0
    """
    return (x_t - (1 - alpha_bar).sqrt() * noise) / alpha_bar.sqrt()


def v_from(x0: Tensor, noise: Tensor, alpha_bar: Tensor) -> Tensor:
    """v = √ᾱ ε - √(1 - ᾱ) x₀, the prediction of Salimans and Ho (2022).

    Example:
        >>> round(v_from(torch.tensor(1.0), torch.tensor(1.0), torch.tensor(0.64)).item(), 3)
        0.2
    """
    return alpha_bar.sqrt() * noise - (1 - alpha_bar).sqrt() * x0


def noise_from_v(v: Tensor, x_t: Tensor, alpha_bar: Tensor) -> Tensor:
    """ε = √ᾱ v + √(1 - ᾱ) x_t.

    Example:
        >>> round(noise_from_v(torch.tensor(0.2), torch.tensor(1.4), torch.tensor(0.64)).item(), 3)
        1.0
    """
    return alpha_bar.sqrt() * v + (1 - alpha_bar).sqrt() * x_t


def x0_from_v(v: Tensor, x_t: Tensor, alpha_bar: Tensor) -> Tensor:
    """x₀ = √ᾱ x_t - √(1 - ᾱ) v.

    Example:
        >>> round(x0_from_v(torch.tensor(0.2), torch.tensor(1.4), torch.tensor(0.64)).item(), 3)
        1.0
    """
    return alpha_bar.sqrt() * x_t - (1 - alpha_bar).sqrt() * v


@torch.no_grad()
def ddim(
    noise_of: Callable[[Tensor, float], Tensor],
    schedule: Schedule,
    x: Tensor,
    steps: int = 50,
    eta: float = 0.0,
    clip: float | None = None,
) -> list[Tensor]:
    """Samples by DDIM (Song, Meng and Ermon 2021): from x_T, in `steps` steps, to x₀.

        x_s = √ᾱ_s x̂₀ + √(1 - ᾱ_s - σ²) ε + σ z,    σ² = η² (1-ᾱ_s)/(1-ᾱ_t) · (1 - ᾱ_t/ᾱ_s)

    with t > s the times of one step and x̂₀ from the predicted ε.

    Args:
        noise_of: (x_t, t / T) -> the predicted ε, like x_t.
        schedule: of the network's training.
        x: standard normal, x_T.
        steps: how often the network is called.
        eta: η; 0 adds no noise, so that x_T determines the sample; 1 is ancestral sampling.
        clip: x̂₀ is kept within ± this; None leaves it.

    Returns:
        x_T, …, x₀: `steps` + 1 tensors like x.

    Example:
        >>> path = ddim(lambda x, t: x, linear_schedule(), torch.randn(5, 2), steps=4)
        >>> len(path), path[-1].shape
        (5, torch.Size([5, 2]))
    """
    path, times = [x], schedule.times(steps)
    for t, s in zip(times, times[1:]):
        kept, next_kept = schedule.at(t, x), schedule.at(s, x)
        noise = noise_of(x, t / schedule.steps)
        x0 = x0_from_noise(noise, x, kept)
        if clip is not None:
            x0 = x0.clamp(-clip, clip)
            noise = noise_from_x0(x0, x, kept)
        spread = eta * ((1 - next_kept) / (1 - kept) * (1 - kept / next_kept)).sqrt()
        x = next_kept.sqrt() * x0 + (1 - next_kept - spread**2).clamp(min=0).sqrt() * noise
        if eta:
            x = x + spread * torch.randn_like(x)
        path.append(x)
    return path


@torch.no_grad()
def ancestral(
    noise_of: Callable[[Tensor, float], Tensor],
    schedule: Schedule,
    x: Tensor,
    steps: int | None = None,
) -> list[Tensor]:
    """Samples by ancestral sampling, Algorithm 2 of Ho et al. (2020), with their σ_t² = β̃_t.

        x_s = (x_t - (1 - α) / √(1 - ᾱ_t) ε) / √α + √β̃ z,    α = ᾱ_t / ᾱ_s

    Args:
        noise_of: (x_t, t / T) -> the predicted ε, like x_t.
        schedule: of the network's training.
        x: standard normal, x_T.
        steps: how often the network is called, T by default.

    Returns:
        x_T, …, x₀: `steps` + 1 tensors like x.

    Example:
        >>> path = ancestral(lambda x, t: x, linear_schedule(10), torch.randn(5, 2))
        >>> len(path), path[-1].shape
        (11, torch.Size([5, 2]))
    """
    path, times = [x], schedule.times(schedule.steps if steps is None else steps)
    for t, s in zip(times, times[1:]):
        kept, next_kept = schedule.at(t, x), schedule.at(s, x)
        alpha = kept / next_kept
        mean = (
            x - (1 - alpha) / (1 - kept).sqrt() * noise_of(x, t / schedule.steps)
        ) / alpha.sqrt()
        spread = ((1 - next_kept) / (1 - kept) * (1 - alpha)).sqrt()  # 0 at the last step
        x = mean + spread * torch.randn_like(x)
        path.append(x)
    return path


@torch.no_grad()
def euler(
    velocity: Callable[[Tensor, float], Tensor],
    x: Tensor,
    steps: int = 50,
    times: Tensor | None = None,
) -> list[Tensor]:
    """Follow dx/dt = v(x, t) from noise at t = 1 to data at t = 0 by Euler's steps.

    Args:
        velocity: (x, t) -> the predicted velocity, like x.
        x: standard normal, x at t = 1.
        steps: how often the network is called.
        times: from 1 down to 0, where the steps begin and end; evenly spaced by default.

    Returns:
        x at every time: `steps` + 1 tensors.

    Example:
        >>> path = euler(lambda x, t: x, torch.ones(1), steps=2)  # dx/dt = x, backwards
        >>> [x.item() for x in path]
        [1.0, 0.5, 0.25]
    """
    if times is None:
        steps = whole(steps, "The number of steps")
        times = [1 - number / steps for number in range(steps + 1)]
    path, times = [x], [float(t) for t in times]
    for t, s in zip(times, times[1:]):
        x = x + (s - t) * velocity(x, t)
        path.append(x)
    return path


def _schedule(kept: Tensor) -> Schedule:
    """With ᾱ_0 = 1 in front of ᾱ_1 … ᾱ_T."""
    return Schedule(torch.cat([kept.new_ones(1), kept]).float())


def _share(beta: float) -> float:
    return real(beta, "β", "a number between 0 and 1", lambda share: 0 < share < 1)

"""Curves of a training run, and dots of many runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .figures import PALETTE


def training_curves(
    history: Mapping[str, Tensor],
    measures: Mapping[str, str] | Sequence[str] | None = None,
    title: str = "",
    levels: Mapping[str, float] | None = None,
    apart: bool = False,
):
    """Losses over the steps of a run: pale as measured, strong as a running mean.

    The mean runs over a fortieth of the run.

    Args:
        history: measure -> (steps,), as `fit` returns it in `run.history`.
        measures: which to draw, or measure -> what to call it; all without it.
        title: of the panel.
        levels: name -> value: what the losses are compared with, as dotted lines.
        apart: one panel for each measure, for losses of different sizes.

    Returns:
        the matplotlib axes; an array of them if they are apart.

    Raises:
        KeyError: a measure that the run has not.

    Example:
        >>> axes = training_curves({"D": torch.rand(200), "G": torch.rand(200)}, ["D"])
        >>> [text.get_text() for text in axes.get_legend().texts]
        ['D']
        >>> len(training_curves({"reconstruction": 100 + torch.rand(9), "KL": torch.rand(9)},
        ...                     apart=True))
        2
    """
    from matplotlib import pyplot

    names = measures if isinstance(measures, Mapping) else {m: m for m in measures or history}
    if missing := [name for name in names if name not in history]:
        raise KeyError(f"The run has no measure {missing[0]!r}; it has {', '.join(history)}.")
    figure, panels = pyplot.subplots(
        1, len(names) if apart else 1, figsize=(11 if apart else 9, 3.6), squeeze=False
    )
    for number, (measure, name) in enumerate(names.items()):
        axes = panels[0, number if apart else 0]
        values = history[measure].float()
        width = max(1, len(values) // 40)
        steps = torch.arange(1, len(values) + 1)
        axes.plot(steps, values, color=PALETTE[number], alpha=0.18, lw=1)
        mean = values.unfold(0, width, 1).mean(1)
        axes.plot(steps[width - 1 :], mean, color=PALETTE[number], label=name)
        if apart:  # the first steps may be many times as high as all the others
            low, high = mean.min().item(), mean.max().item()
            room = 0.1 * (high - low) or 1.0
            axes.set_ylim(low - room, high + room)
    for axes in panels[0]:
        for name, level in (levels or {}).items():
            axes.axhline(level, color="black", ls=":", lw=1.5)
            axes.text(1.01, level, name, va="center", transform=axes.get_yaxis_transform())
        axes.set(xlabel="step", ylabel="loss")
    if not apart:
        # Above the panel: the first losses, often the largest, would run through it.
        axes.legend(ncols=len(names), loc="lower left", bbox_to_anchor=(0, 1), borderaxespad=0.1)
        axes.set_title(title, pad=32)
        return axes
    figure.suptitle(title)
    for axes, name in zip(panels[0], names.values()):
        axes.set_title(name)
    return panels[0]


def dot_plot(
    axes,
    rows: Mapping[str, Sequence[float]],
    label: str,
    level: float | None = None,
    level_name: str = "",
    log: bool = False,
) -> None:
    """One row a method: every run a dot, their mean a bar; so that differences show with their
    spread.

    Args:
        axes: the matplotlib axes to draw into.
        rows: method -> its value in each run; from top to bottom.
        label: of the horizontal axis: the measure and its unit.
        level: what would be perfect, as a line over all rows.
        level_name: what that line is.
        log: whether the axis is logarithmic.

    Example:
        >>> from matplotlib import pyplot
        >>> axes = pyplot.figure().add_subplot()
        >>> dot_plot(axes, {"GAN": [0.5, 0.7], "R1": [0.1, 0.2]}, "reverse KL", level=0.0)
        >>> [label.get_text() for label in axes.get_yticklabels()]
        ['GAN', 'R1']
    """
    for number, values in enumerate(rows.values()):
        values = torch.as_tensor(values).double()
        # Dots that fall on one another are moved apart a little, always in the same way.
        ends = 0.22 if len(values) > 1 else 0.0
        apart = torch.linspace(-ends, ends, len(values))[torch.argsort(torch.argsort(values))]
        axes.scatter(values, number + apart, s=26, color=PALETTE[0], alpha=0.55, linewidths=0)
        mean = values[values.isfinite()].mean()
        axes.plot([mean, mean], [number - 0.36, number + 0.36], color=PALETTE[2], lw=3)
    if level is not None:
        axes.axvline(level, color="black", ls=":", lw=1.5, label=level_name or None)
        if level_name:
            axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1.0), fontsize=12)
    if log:
        axes.set_xscale("log")
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_ylim(len(rows) - 0.4, -0.6)
    axes.set_xlabel(label)
    axes.grid(axis="x", alpha=0.3)

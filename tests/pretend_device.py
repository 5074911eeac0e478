"""A device that is not there: it computes on the processor, and refuses to meet its tensors.

A lesson that forgets one tensor on the CPU runs everywhere but on a graphics card. Here every
tensor of the session's device is a `FarTensor`. It holds a CPU tensor and computes with that, so
results are those of the CPU; but it says that it lies on the device "pretend", and where it meets a
CPU tensor it raises what CUDA would raise. What CUDA allows is allowed: copies, CPU tensors of a
single number, CPU indices.

`install()` makes `course_utils.start` choose it; `shorten()` cuts all training to a few steps,
since whether devices meet shows at the first. Rounding, memory and speed of a card are not
imitated.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils import backend_registration
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

NAME = "pretend"
STEPS = 14  # of a shortened training: lessons draw means over twelve
COPIES = (torch.ops.aten.copy_.default, torch.ops.aten._to_copy.default)
INDEXED = (
    torch.ops.aten.index.Tensor,
    torch.ops.aten.index_put.default,
    torch.ops.aten.index_put_.default,
    torch.ops.aten._index_put_impl_.default,
)


def possible() -> bool:
    """Whether this version of torch takes a device that is written in Python."""
    return hasattr(backend_registration, "_setup_privateuseone_for_python_backend")


class FarTensor(Tensor):
    """A tensor that says it lies on the device "pretend"; `near` is the CPU tensor it holds."""

    @staticmethod
    def __new__(cls, near: Tensor) -> FarTensor:
        far = Tensor._make_wrapper_subclass(
            cls,
            near.size(),
            strides=near.stride(),
            storage_offset=near.storage_offset(),
            dtype=near.dtype,
            layout=near.layout,
            device=torch.device(NAME, 0),
        )
        far.near = near
        return far

    @classmethod
    def __torch_dispatch__(cls, function, types, args=(), kwargs=None):
        return _compute(function, args, kwargs or {})

    def __reduce_ex__(self, protocol):  # checkpoints
        return _restored, (self.detach().near.clone(), self.requires_grad)

    def __repr__(self):
        return f"FarTensor({self.detach().near!r})"

    def __format__(self, how):
        return format(self.item(), how) if self.dim() == 0 else super().__format__(how)

    def tolist(self):
        return self.detach().cpu().tolist()


def _restored(near: Tensor, requires_grad: bool) -> FarTensor:
    return FarTensor(near).requires_grad_(requires_grad)


def _is_far(device) -> bool:
    return device is not None and torch.device(device).type == NAME


def _compute(function, args, kwargs):
    """What an operation gives, computed on the CPU; refused where a card would refuse it."""
    given = tree_leaves((args, kwargs))
    far = any(isinstance(value, FarTensor) for value in given)
    to_far = _is_far(kwargs["device"]) if kwargs.get("device") is not None else far
    if to_far and any(isinstance(value, torch.Generator) for value in given):
        raise RuntimeError(f"{function}: the generator is the CPU's, the tensor is not.")
    if far and function not in COPIES and _has_near(function, args, kwargs):
        raise RuntimeError(f"{function}: all tensors must be on one device; found {NAME} and cpu.")

    near_args, near_kwargs = tree_map(
        lambda value: value.near if isinstance(value, FarTensor) else value, (args, kwargs)
    )
    if _is_far(near_kwargs.get("device")):
        near_kwargs["device"] = torch.device("cpu")
    near_kwargs.pop("pin_memory", None)
    found = function(*near_args, **near_kwargs)

    if changed := _changed_in_place(function, args, kwargs):
        return changed[0] if len(changed) == 1 else tuple(changed)
    if not to_far:
        return found
    return tree_map(lambda value: FarTensor(value) if isinstance(value, Tensor) else value, found)


def _has_near(function, args, kwargs) -> bool:
    """Whether a CPU tensor takes part that a card would not let take part."""
    if function in INDEXED:
        target, _, *values = args
        return not isinstance(target, FarTensor) or any(_is_near(value) for value in values)
    return any(_is_near(value) for value in tree_leaves((args, kwargs)))


def _is_near(value) -> bool:
    return isinstance(value, Tensor) and not isinstance(value, FarTensor) and value.dim() > 0


def _changed_in_place(function, args, kwargs) -> list:
    """The tensors that an operation writes into and hands back, such as the first one of `add_`."""
    schema = function._schema
    written = [
        kwargs.get(argument.name, args[place] if place < len(args) else None)
        for place, argument in enumerate(schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
    ]
    handed_back = [
        answer
        for answer in schema.returns
        if answer.alias_info is not None and answer.alias_info.is_write
    ]
    return written[: len(handed_back)]


class _Operations(TorchDispatchMode):
    """Sees every operation, also those that make a tensor and are given none."""

    def __torch_dispatch__(self, function, types, args=(), kwargs=None):
        kwargs = kwargs or {}
        here = tree_leaves((args, kwargs))
        if _is_far(kwargs.get("device")) or any(isinstance(value, FarTensor) for value in here):
            return _compute(function, args, kwargs)
        return function(*args, **kwargs)


class _Makers(TorchFunctionMode):
    """Some functions make tensors out of numbers below the reach of a dispatch mode."""

    def __torch_function__(self, function, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        if function in (torch.tensor, torch.as_tensor) and _is_far(kwargs.get("device")):
            requires_grad = kwargs.pop("requires_grad", False)
            made = function(*args, **{**kwargs, "device": "cpu"})
            return FarTensor(made).requires_grad_(requires_grad)
        if function is Tensor.new_tensor and isinstance(args[0], FarTensor):
            return FarTensor(torch.tensor(args[1], dtype=kwargs.get("dtype", args[0].dtype)))
        if function in (Tensor.__getitem__, Tensor.__setitem__) and isinstance(args[0], FarTensor):
            target, key, *values = args
            key = tuple(map(_as_index, key)) if isinstance(key, tuple) else _as_index(key)
            numbers = (bool, int, float)
            values = [
                torch.tensor(value, dtype=target.dtype) if isinstance(value, numbers) else value
                for value in values
            ]
            args = (target, key, *values)
        return function(*args, **kwargs)


def _as_index(key):
    return torch.tensor(key) if isinstance(key, (list, range)) else key


class _Backend(backend_registration._DummyBackendModule if possible() else object):
    """What torch asks a device's module for."""

    def get_amp_supported_dtype(self):
        return [torch.bfloat16, torch.float16]

    def get_rng_state(self, device=None):  # its random numbers are the CPU's
        return torch.get_rng_state()

    def set_rng_state(self, state, device=None):
        torch.set_rng_state(state)


def install() -> None:
    """From now on there is a device "pretend", and `course_utils.start` chooses it."""
    from course_utils.session import lab as session

    backend_registration._setup_privateuseone_for_python_backend(NAME, backend_module=_Backend())
    _Operations().__enter__()
    _Makers().__enter__()
    torch.nn.init.orthogonal_ = _on_the_processor(torch.nn.init.orthogonal_)
    session.choose_device = lambda: torch.device(NAME, 0)
    session.describe_device = lambda device: "a device that is not there"


def _on_the_processor(fill: Callable) -> Callable:
    """For a function that turns a tensor's sides in place, which a `FarTensor` cannot follow."""

    def filled(tensor, *args, **options):
        with torch.no_grad():
            tensor.copy_(fill(torch.empty(tensor.shape), *args, **options))
        return tensor

    return filled


def shorten() -> None:
    """Cut every training to a few steps, and every image that is optimised to two."""
    import course_utils
    from course_utils import training
    from course_utils.training import pixels

    training.fit = course_utils.fit = _short_training(training.fit)
    pixels.optimise = _short_painting(pixels.optimise)


def _short_painting(optimise: Callable) -> Callable:
    def short(loss, start, *, steps, watch_at=(), **options):
        few = min(2, steps) if isinstance(steps, int) else [min(2, count) for count in steps]
        last = few if isinstance(few, int) else sum(few)
        seen = sorted({min(int(moment), last) for moment in watch_at})
        film = optimise(loss, start, steps=few, watch_at=seen, **options)
        film.frames = _stretched(film.frames, watch_at)
        count = steps if isinstance(steps, int) else sum(steps)
        for term, values in film.history.items():  # as long as it would have become
            film.history[term] = torch.cat([values, values[-1:].expand(count - len(values))])
        return film

    return short


def _short_training(fit: Callable) -> Callable:
    def short(step, data, nets, lab, *, batch_size=128, watch_at=(), **options):
        tensors = [data] if isinstance(data, Tensor) else list(data)
        few = [tensor[: STEPS * batch_size] for tensor in tensors]
        last = -(-len(few[0]) // batch_size)
        options |= {"epochs": 1, "batch_size": batch_size}
        options["watch_at"] = sorted({min(int(moment), last) for moment in watch_at})
        run = fit(step, few[0] if isinstance(data, Tensor) else few, nets, lab, **options)
        run.snapshots = _stretched(run.snapshots, watch_at)
        return run

    return short


def _stretched(seen: list, moments) -> list:
    """A frame for each moment, also for those that were not reached: the last one that was."""
    return [(moment, seen[min(place, len(seen) - 1)][1]) for place, moment in enumerate(moments)]

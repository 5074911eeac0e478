"""The live demos of the course's web page: models exported from the weights that ship.

Small networks are written as safetensors in half precision, exactly as they ship, with the list of
their layers in the header; `site/demos/shared/nn.js` runs them. The network of style transfer,
which has two hundred times as many multiplications, is exported to ONNX and run by onnxruntime-web.

    python -m course_utils.authoring.demos OUT
"""

from __future__ import annotations

import gzip
import html
import json
import math
import re
import shutil
import sys
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path

import torch
from torch import Tensor, nn

from .. import data, models
from ..data import animals, mixtures, paintings
from ..data.face_factors import CHOICES, FACING, caption, sample_factors
from ..data.photographs import photograph
from ..data.sentences import Vocabulary
from ..models import diffusion
from ..shipped import weights
from .notebooks import ROOT, NotebookError

SOURCES = ROOT / "site" / "demos"
LESSONS = "../../notebooks/"  # where the pages of the lessons lie, seen from a demo
INSTALL = "run `pip install -r requirements-site.txt` and `npm ci --prefix site`"
HOW_IT_WORKS = "<!-- how it works -->"

ACTIVATIONS = {
    nn.ReLU: "relu",
    nn.LeakyReLU: "leaky",
    nn.SiLU: "silu",
    nn.Sigmoid: "sigmoid",
    nn.Tanh: "tanh",
}


def listed() -> list[dict]:
    """The demos: name, title, lesson (the stem of its notebook), section and height in pixels.

    Example:
        >>> listed()[0]["lesson"]
        '03_vae_latent_space'
    """
    return json.loads((SOURCES / "demos.json").read_text(encoding="utf-8"))


def anchor(section: str) -> str:
    """The name of a section in its page's address, as Sphinx makes it of the heading.

    Example:
        >>> anchor("7. The two-dimensional latent space")
        'the-two-dimensional-latent-space'
    """
    return re.sub(r"^[^a-z]+|-+$", "", re.sub(r"[^a-z0-9]+", "-", section.lower()))


def layers_of(net: nn.Module, name: str = "") -> list[dict]:
    """The layers of a network as `nn.js` reads them.

    Args:
        net: an `nn.Sequential`, nested as one likes, of the layers that the course's generators and
            decoders consist of.
        name: its name in the state of the whole network, in front of the names of the layers.

    Returns:
        a description of each layer: {"op": ..., "name": ..., and its settings}.

    Raises:
        NotebookError: a layer that `nn.js` does not know.

    Example:
        >>> layers_of(nn.Sequential(nn.Linear(2, 3), nn.SiLU()), "decoder")
        [{'op': 'linear', 'name': 'decoder.0'}, {'op': 'activate', 'which': 'silu'}]
    """
    if isinstance(net, nn.Sequential):
        prefix = f"{name}." if name else ""
        return [
            each for key, part in net.named_children() for each in layers_of(part, prefix + key)
        ]
    if isinstance(net, nn.Linear):
        return [{"op": "linear", "name": name}]
    if isinstance(net, (nn.Conv2d, nn.ConvTranspose2d)):
        _refuse_unless(net.dilation == (1, 1) and net.groups == 1, net)
        op = "convolution" if isinstance(net, nn.Conv2d) else "transposed"
        return [{"op": op, "name": name, "stride": net.stride[0], "padding": net.padding[0]}]
    if isinstance(net, nn.BatchNorm2d):
        return [{"op": "normalise", "name": name, "epsilon": net.eps}]
    if isinstance(net, nn.InstanceNorm2d):
        _refuse_unless(not (net.affine or net.track_running_stats), net)
        return [{"op": "instance", "epsilon": net.eps}]
    if isinstance(net, nn.GroupNorm):
        _refuse_unless(net.num_groups == 1 and net.affine, net)
        return [{"op": "group", "name": name, "epsilon": net.eps}]
    if isinstance(net, nn.Identity):
        return []
    if isinstance(net, nn.PixelUnshuffle):
        return [{"op": "unshuffle", "side": net.downscale_factor}]
    if isinstance(net, nn.PixelShuffle):
        return [{"op": "shuffle", "side": net.upscale_factor}]
    if isinstance(net, nn.Upsample):
        _refuse_unless(net.mode == "nearest" and net.scale_factor == 2, net)
        return [{"op": "upsample", "side": 2}]
    if isinstance(net, nn.Unflatten):
        return [{"op": "view", "shape": list(net.unflattened_size)}]
    _refuse_unless(type(net) in ACTIVATIONS, net)
    _refuse_unless(getattr(net, "negative_slope", 0.2) == 0.2, net)
    return [{"op": "activate", "which": ACTIVATIONS[type(net)]}]


def _refuse_unless(known: bool, layer: nn.Module) -> None:
    if not known:
        raise NotebookError(f"site/demos/shared/nn.js does not know {layer}; teach it there.")


def write_network(
    path: Path,
    net: nn.Module,
    layers: list[dict],
    shape: list[int],
    more: Mapping[str, Tensor] | None = None,
    **about: str,
) -> None:
    """A network's tensors in half precision and the list of its layers, as one safetensors file.

    Args:
        path: of the file.
        net: whose state holds the tensors that `layers` name; others are left out.
        layers: as `layers_of` gives them.
        shape: of an input, without the batch.
        more: other tensors for the same file, written as they are.
        about: other sentences for its header.
    """
    named = tuple(f"{layer['name']}." for layer in layers if "name" in layer)
    tensors = {
        key: value.half().contiguous()
        for key, value in net.state_dict().items()
        if key.startswith(named) and value.is_floating_point()
    }
    about |= {"layers": json.dumps(layers), "input": json.dumps(shape)}
    write_tensors(path, tensors | dict(more or {}), **about)


def write_tensors(path: Path, tensors: dict[str, Tensor], **about: str) -> None:
    """A safetensors file with some sentences about it in its header."""
    from safetensors.torch import save

    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(save({key: value.contiguous() for key, value in tensors.items()}, about))


def vae_decoder() -> models.ConvolutionalVAE:
    """The VAE of MNIST with two latent dimensions, in evaluation mode."""
    vae = models.ConvolutionalVAE(2, width=8, hidden=48)
    weights.load("mnist_2", vae)
    return vae.eval()


def export_latent_map(folder: Path) -> None:
    """The decoder of digits, with the sigmoid that `decode` adds."""
    vae = vae_decoder()
    layers = [*layers_of(vae.decoder, "decoder"), {"op": "activate", "which": "sigmoid"}]
    write_network(folder / "decoder.safetensors", vae, layers, [2])


FACES_SHOWN = (15, 0, 2, 3, 5, 7, 8, 11)  # of the test faces: 15 is the lesson's


@cache
def face_directions() -> tuple[models.ConvolutionalVAE, list[str], Tensor, Tensor, float]:
    """The VAE of faces and what lesson 03, section 11 finds in its latent space.

    Returns:
        the VAE; the attributes; a direction for each, (5, 12); the codes of the faces to begin
        with, (8, 12); and the 95th percentile of the norms of all codes.
    """
    attributes = ["smile", "glasses", "skin_tone", "head_turn", "age"]
    plain = {"hair_style": 1, "hair_colour": 1, "beard": 0, "face_width": 0.5, "background": 0.6}
    plain |= {"tilt": 0.0, "gaze": 0.0, "eye_openness": 0.8}
    faces = data.load("faces", "test", size=3_000, fixed=plain, seed=0)
    vae = models.ConvolutionalVAE(12, width=16, hidden=128, halvings=3, shape=(3, 32, 32))
    weights.load("faces", vae)
    codes, _ = vae.eval().encode(faces.images)
    fitted, directions = codes[500:], []
    for name in attributes:
        values = faces.factors[name][500:].float()
        thirds = (0.0, 1.0) if len(values.unique()) < 4 else (0.33, 0.67)
        low, high = values.quantile(torch.tensor(thirds))
        directions.append(fitted[values >= high].mean(dim=0) - fitted[values <= low].mean(dim=0))
    limit = fitted.norm(dim=1).quantile(0.95).item()
    return vae, attributes, torch.stack(directions), codes[list(FACES_SHOWN)], limit


def export_faces(folder: Path) -> None:
    """The decoder of faces, with eight codes and the directions of five attributes."""
    vae, attributes, directions, codes, limit = face_directions()
    layers = [*layers_of(vae.decoder, "decoder"), {"op": "activate", "which": "sigmoid"}]
    more = {"directions": directions, "codes": codes}
    about = json.dumps({"attributes": attributes, "limit": limit})
    write_network(folder / "faces.safetensors", vae, layers, [12], more, faces=about)


def tensors_of(name: str, prefix: str) -> dict[str, Tensor]:
    """One part of a file of weights, its names without the prefix."""
    from safetensors.torch import load_file

    state = load_file(weights.weights_folder() / f"{name}.safetensors")
    return {k.removeprefix(prefix): value for k, value in state.items() if k.startswith(prefix)}


def part_of(name: str, prefix: str, net: nn.Module) -> nn.Module:
    """A network filled with one part of a file of weights, in evaluation mode."""
    net.load_state_dict(tensors_of(name, prefix))
    return net.eval()


def dcgan_generator() -> models.Generator:
    """The generator of faces of lesson 04."""
    return part_of("faces_dcgan", "generator.", models.Generator(32, channels=3, width=32))


def export_latent_walk(folder: Path) -> None:
    """The generator of a DCGAN."""
    G = dcgan_generator()
    write_network(folder / "generator.safetensors", G, layers_of(G.layers, "layers"), [32])


def digits_generator() -> models.ConditionalGenerator:
    """The generator of digits by class of lesson 05."""
    return part_of("digits_cgan", "", models.ConditionalGenerator(16, 10, channels=1, width=24))


def faces_generator() -> models.ConditionalGenerator:
    """The generator of faces by attributes of lesson 05b."""
    return part_of("faces_cgan", "", models.ConditionalGenerator(16, 19, channels=3, width=24))


def export_conditional_digits(folder: Path) -> None:
    """A generator whose input is z and a class."""
    write_conditional(folder / "generator.safetensors", digits_generator())


def export_conditional_faces(folder: Path) -> None:
    """A generator whose input is z and six attributes, with the names of the choices."""
    choices = {name: list(CHOICES[name]) for name in ("hair_style", "hair_colour")}
    path = folder / "generator.safetensors"
    write_conditional(path, faces_generator(), choices=json.dumps(choices))


def write_conditional(path: Path, G: models.ConditionalGenerator, **about: str) -> None:
    """A conditional generator, whose input is z and y, one after the other."""
    inputs = [G.latent + G.condition]
    write_network(path, G, layers_of(G.draw.layers, "draw.layers"), inputs, **about)


def unet_layers(net: models.UNet) -> list[dict]:
    """The layers of a U-Net, with what is kept for its skip connections."""
    layers = [{"op": "keep", "as": "0"}]
    for number in range(3):
        layers += layers_of(net.down[number], f"down.{number}")
        layers += [{"op": "keep", "as": str(number + 1)}] if number < 2 else []
    for number in range(3):
        layers += [
            *layers_of(net.up[number], f"up.{number}"),
            {"op": "join", "as": str(2 - number)},
        ]
    return [*layers, *layers_of(net.leave, "leave")]


def translators() -> dict[str, models.UNet]:
    """Both generators of lesson 06's CycleGAN, by where they lead."""
    kinds = ("to_zebra", "to_horse")
    return {kind: part_of("horse_zebra", f"{kind}.", models.UNet(3, 3, width=8)) for kind in kinds}


ANIMALS = ("horse", "zebra")


def drawn(kind: str) -> Tensor:
    """Eight animals, (8, 3, 32, 32), in whole numbers from 0 to 255."""
    images = animals.draw(8, kind, fixed={"size": 0.7}, seed=11).images
    return (255 * images).round().to(torch.uint8)


def export_horse_zebra(folder: Path) -> None:
    """Two U-Nets, and eight horses and zebras, drawn here in pairs."""
    for kind, net in translators().items():
        write_network(folder / f"{kind}.safetensors", net, unet_layers(net), [3, 32, 32])
    pixels = {kind: drawn(kind) for kind in ANIMALS}
    write_tensors(folder / "animals.safetensors", pixels)


@cache
def vocabulary_of_captions() -> Vocabulary:
    """The words that lesson 05b numbers: those of the captions of 4,000 faces."""
    factors = sample_factors(4_000, seed=0)
    factors |= {name: torch.full((4_000,), value) for name, value in FACING.items()}
    rows = zip(*(values.tolist() for values in factors.values()))
    return Vocabulary(
        caption(dict(zip(factors, row)), seed=number) for number, row in enumerate(rows)
    )


def caption_tensors() -> dict[str, Tensor]:
    """The weights of the sentence encoder of lesson 05b."""
    return tensors_of("caption_encoder", "text.")


def caption_generator() -> models.ConditionalGenerator:
    """The generator of faces by sentences of lesson 05b."""
    return part_of("caption_generator", "", models.ConditionalGenerator(16, 24, 3, width=24))


def export_caption(folder: Path) -> None:
    """The encoder of sentences with its vocabulary, and the generator."""
    tensors, words = caption_tensors(), vocabulary_of_captions().words
    if len(words) + 2 != len(tensors["words.weight"]):
        raise NotebookError("The captions have other words than those the encoder was trained on.")
    write_tensors(folder / "encoder.safetensors", tensors, words=json.dumps(words))
    write_conditional(folder / "generator.safetensors", caption_generator())


def ring_denoiser() -> models.PointDenoiser:
    """The denoiser of the ring of lesson 08b; there it is the first of one run."""
    tensors, net = tensors_of("ring_denoiser", ""), models.PointDenoiser()
    net.load_state_dict(
        {k: value[0].T if k.endswith("weight") else value[0, 0] for k, value in tensors.items()}
    )
    return net.eval()


def digits_unet() -> models.SmallUNet:
    """The denoiser of digits by class of lesson 08, of the widths that its file has."""
    tensors = tensors_of("digits_diffusion", "")
    width, embedding = (len(tensors[name]) for name in ("enter.1.bias", "describe.0.bias"))
    return part_of("digits_diffusion", "", models.SmallUNet(1, 10, width, embedding))


PHASES = (0.0, math.pi / 2)  # of a sine, and of a cosine as a sine


def point_denoiser_layers(net: models.PointDenoiser) -> list[dict]:
    """The layers of a denoiser of points; its input is x_t and t, one after the other."""
    return [
        {"op": "keep", "as": "input"},
        {"op": "part", "from": 2, "to": 3},
        time_waves(32),
        {"op": "keep", "as": "time"},
        {"op": "take", "as": "input"},
        {"op": "part", "from": 0, "to": 2},
        {"op": "keep", "as": "x"},
        {"op": "waves", "angles": [[2**k, phase] for k in range(net.octaves) for phase in PHASES]},
        {"op": "join", "as": "time"},
        {"op": "keep", "as": "waves"},
        {"op": "take", "as": "x"},
        {"op": "join", "as": "waves"},
        *layers_of(net.layers, "layers"),
    ]


def time_waves(count: int) -> dict:
    """`diffusion.time_features` as a layer."""
    frequencies = (100 ** torch.linspace(0, 1, count // 2)).tolist()
    return {"op": "waves", "angles": [[each, phase] for phase in PHASES for each in frequencies]}


def small_unet_layers(net: models.SmallUNet, side: int) -> list[dict]:
    """The layers of a denoiser of images; its input is x_t, t and y, one after the other."""
    pixels = net.channels * side**2
    layers = [
        {"op": "keep", "as": "input"},
        {"op": "part", "from": pixels, "to": pixels + 1},
        time_waves(net.time[0].in_features),
        *layers_of(net.time, "time"),
        {"op": "keep", "as": "time"},
        {"op": "take", "as": "input"},
        {"op": "part", "from": pixels + 1, "to": pixels + 1 + net.condition},
        *layers_of(net.label, "label"),
        {"op": "add", "as": "time"},
        *layers_of(net.describe, "describe"),
        {"op": "keep", "as": "embedding"},
        {"op": "take", "as": "input"},
        {"op": "part", "from": 0, "to": pixels},
        {"op": "view", "shape": [net.channels, side, side]},
        *layers_of(net.enter, "enter"),
    ]
    for number, block in enumerate(net.down):
        layers += [*block_layers(block, f"down.{number}"), {"op": "keep", "as": f"skip {number}"}]
    layers += layers_of(net.shrink, "shrink")
    for number, block in enumerate(net.coarse):
        layers += block_layers(block, f"coarse.{number}")
    layers += layers_of(net.enlarge, "enlarge")
    for number, block in enumerate(net.up):
        skip = {"op": "join", "as": f"skip {len(net.down) - 1 - number}"}
        layers += [skip, *block_layers(block, f"up.{number}")]
    return [*layers, *layers_of(net.leave, "leave")]


def block_layers(block: diffusion.ModulatedBlock, name: str) -> list[dict]:
    """The layers of a block that the embedding modulates, beside its shortcut."""
    return [
        {"op": "keep", "as": "before"},
        *layers_of(block.first, f"{name}.first"),
        *layers_of(block.norm, f"{name}.norm"),
        {"op": "modulate", "name": f"{name}.modulation", "by": "embedding"},
        {"op": "activate", "which": "silu"},
        *layers_of(block.second, f"{name}.second"),
        {"op": "keep", "as": "change"},
        {"op": "take", "as": "before"},
        *layers_of(block.shortcut, f"{name}.shortcut"),
        {"op": "add", "as": "change"},
    ]


SAMPLING_STEPS = 20  # of both samplers, so that one slider serves both


def ring_sampling() -> dict:
    """The times that the ring's denoiser is given, ᾱ at them and at the end, and the data's reach.

    Lesson 08b trains it at noise levels σ from .001 to 20. Levels from 5 to .02 are sampled: what
    happens above and below would take half of the steps, and is hardly seen. Far from the ring,
    where training had no points, estimates grow without limit, so they are kept within a reach.
    """
    low, high = 1e-3, 20.0
    sigma = torch.logspace(math.log10(5), math.log10(0.02), SAMPLING_STEPS, dtype=torch.float64)
    times = (sigma / low).log() / math.log(high / low)
    return {"times": times.tolist(), "kept": [*(1 / (1 + sigma**2)).tolist(), 1.0], "clip": 1.5}


def digits_sampling() -> dict:
    """The same of lesson 08's sampler of digits, section 8."""
    schedule = diffusion.cosine_schedule()
    times = schedule.times(SAMPLING_STEPS)
    shares = [t / schedule.steps for t in times[:-1]]
    return {"times": shares, "kept": schedule.alpha_bar[times].tolist(), "clip": 1.0}


def export_diffusion(folder: Path) -> None:
    """Two denoisers that predict v, with the noise levels at which each is sampled."""
    ring, unet = ring_denoiser(), digits_unet()
    write_network(
        folder / "ring.safetensors", ring, point_denoiser_layers(ring), [3],
        sampling=json.dumps(ring_sampling()),
        modes=json.dumps(mixtures.ring().standardised().means.tolist()),
    )  # fmt: skip
    write_network(
        folder / "digits.safetensors", unet, small_unet_layers(unet, 32),
        [32 * 32 + 1 + unet.condition], sampling=json.dumps(digits_sampling()),
    )  # fmt: skip


def stylizer() -> models.Stylizer:
    """The network of style transfer of lesson 01c."""
    net = models.Stylizer(styles=len(paintings.NAMES))
    weights.load("stylizer", net)
    return net.eval()


PHOTOGRAPHS = {  # all free of conditions
    "rocket": "Falcon 9 with DSCOVR, SpaceX, public domain",
    "cat": "Chelsea, Stéfan van der Walt, CC0",
    "astronaut": "Eileen Collins, NASA, public domain",
    "coffee": "Rachel Michetti for Pikolo Espresso Bar, CC0",
}


def export_style(folder: Path) -> None:
    """The network in ONNX for images of any size, with photographs and paintings to choose."""
    from PIL import Image

    for name in (*PHOTOGRAPHS, *paintings.NAMES):
        x = photograph(name, 384) if name in PHOTOGRAPHS else paintings.paint(name, 128)
        pixels = (255 * x[0].permute(1, 2, 0)).round().to(torch.uint8).numpy()
        Image.fromarray(pixels).save(folder / f"{name}.jpg", quality=88)
    listing = {"styles": paintings.NAMES, "photographs": PHOTOGRAPHS}
    (folder / "styles.json").write_text(json.dumps(listing), encoding="utf-8")
    export_onnx(folder / "stylizer.onnx", stylizer())
    copy_runtime(folder.parent / "ort")


def export_onnx(path: Path, net: nn.Module) -> None:
    """The stylizer as ONNX, its weights in half precision where that is what they are.

    Raises:
        NotebookError: the packages that write ONNX are missing.
    """
    try:
        import onnx
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise NotebookError(f"{error.name} is missing: {INSTALL}.") from error
    free = {2: torch.export.Dim.DYNAMIC, 3: torch.export.Dim.DYNAMIC}
    example = (torch.rand(1, 3, 64, 80), torch.full((1, net.styles), 1 / net.styles))
    program = torch.onnx.export(
        net, example, dynamo=True, external_data=False, verbose=False, opset_version=18,
        dynamic_shapes={"images": free, "shares": None},
        input_names=["images", "shares"], output_names=["styled"],
    )  # fmt: skip
    model = program.model_proto  # made anew each time it is asked for
    graph = model.graph
    casts = []
    for tensor in graph.initializer:
        numbers = onnx.numpy_helper.to_array(tensor)
        compact = numbers.astype("float16")
        if numbers.dtype == "float32" and (compact.astype("float32") == numbers).all():
            name = tensor.name
            tensor.CopyFrom(onnx.numpy_helper.from_array(compact, f"{name}.half"))
            cast = onnx.helper.make_node("Cast", [tensor.name], [name], to=onnx.TensorProto.FLOAT)
            casts.append(cast)
    nodes = [*casts, *graph.node]
    for part in (*nodes, *graph.initializer, *graph.value_info, *graph.input, *graph.output):
        del part.metadata_props[:]  # where in the code it comes from
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, path)


RUNTIME = ("ort.wasm.min.mjs", "ort-wasm-simd-threaded.mjs", "ort-wasm-simd-threaded.wasm")


def copy_runtime(folder: Path) -> None:
    """onnxruntime-web as npm installed it; the large file packed, 14 MB in less than 4.

    Raises:
        NotebookError: npm has not installed it.
    """
    source = ROOT / "site" / "node_modules" / "onnxruntime-web" / "dist"
    if missing := [name for name in RUNTIME if not (source / name).is_file()]:
        raise NotebookError(f"{missing[0]} of onnxruntime-web is missing: {INSTALL}.")
    folder.mkdir(parents=True, exist_ok=True)
    for name in RUNTIME[:2]:
        shutil.copy(source / name, folder)
    packed = folder / f"{RUNTIME[2]}.gz"
    content = (source / RUNTIME[2]).read_bytes()
    packed.write_bytes(gzip.compress(content, compresslevel=9, mtime=0))


EXPORTS = {
    "latent-map": export_latent_map,
    "faces": export_faces,
    "latent-walk": export_latent_walk,
    "conditional-digits": export_conditional_digits,
    "conditional-faces": export_conditional_faces,
    "horse-zebra": export_horse_zebra,
    "caption": export_caption,
    "diffusion": export_diffusion,
    "style": export_style,
}


def how_it_works(demo: dict) -> str:
    """The link from a demo to the section of the lesson that explains it."""
    notebook = (ROOT / "notebooks" / f"{demo['lesson']}.ipynb").read_text(encoding="utf-8")
    there = f"## {demo['section']}" in notebook
    address = f"{LESSONS}{demo['lesson']}.html" + (f"#{anchor(demo['section'])}" if there else "")
    lesson, section = demo["lesson"].split("_")[0], demo["section"].split(".")[0]
    where = f"lesson {lesson}, section {section}" if section.isdigit() else f"lesson {lesson}"
    return f'<a href="{html.escape(address)}" target="_top">How it works: {where}</a>'


def build(out: Path, names: Collection[str] | None = None) -> None:
    """Write all demos to a folder: their pages, their models, and the page "Play" with all of them.

    Args:
        out: the folder; it is made if need be, and files of the same names are replaced.
        names: only these demos.

    Raises:
        NotebookError: a listed demo has no page, a layer is not known, or a package is missing.

    Example:
        >>> build(tmp_path / "demos")  # doctest: +SKIP
    """
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(SOURCES / "shared", out / "shared", dirs_exist_ok=True)
    shutil.copy(SOURCES / "demos.json", out)
    demos = [demo for demo in listed() if names is None or demo["name"] in names]
    for demo in demos:
        source, folder = SOURCES / demo["name"], out / demo["name"]
        if not (source / "index.html").is_file():
            raise NotebookError(f"{source} has no index.html; write it, or take it off demos.json.")
        shutil.copytree(source, folder, dirs_exist_ok=True)
        page = (source / "index.html").read_text(encoding="utf-8")
        page = page.replace(HOW_IT_WORKS, how_it_works(demo))
        (folder / "index.html").write_text(page, encoding="utf-8")
        if demo["name"] in EXPORTS:
            with torch.no_grad():
                EXPORTS[demo["name"]](folder)
    frames = "\n".join(_frame(demo) for demo in demos)
    page = (SOURCES / "index.html").read_text(encoding="utf-8").replace("<!-- demos -->", frames)
    (out / "index.html").write_text(page, encoding="utf-8")


def _frame(demo: dict) -> str:
    """A demo in a frame, which a browser loads when it is scrolled to."""
    name, title = html.escape(demo["name"]), html.escape(demo["title"])
    return (
        f'<section id="{name}"><iframe src="{name}/index.html" title="{title}" loading="lazy" '
        f'height="{demo["height"]}"></iframe>'
        f'<p><a href="{name}/index.html">{title}, on a page of its own</a></p></section>'
    )


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("Say where to: python -m course_utils.authoring.demos OUT")
    build(Path(sys.argv[1]))

"""The networks of the live demos, from the weights that ship, and what their pages read."""

from __future__ import annotations

import gzip
import json
import math
import shutil
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
from .network_files import (
    layers_of,
    point_denoiser_layers,
    small_unet_layers,
    unet_layers,
    write_network,
    write_tensors,
)
from .notebooks import ROOT, NotebookError

INSTALL = "run `pip install -r requirements-site.txt` and `npm ci --prefix site`"


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

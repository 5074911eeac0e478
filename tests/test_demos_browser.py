"""Every live demo as a student sees it: in a browser, held equal to PyTorch, each control moved."""

import contextlib
import importlib.util
import shutil
from base64 import b64decode
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from torch.distributions import Categorical, MixtureSameFamily, Normal, kl_divergence

from course_utils.authoring import demo_models, demos
from course_utils.authoring.notebooks import ROOT, NotebookError
from course_utils.authoring.scripts import fetched_scripts
from course_utils.data import face_vectors
from course_utils.models.diffusion import Schedule, ddim, noise_from_v
from tests.demo_pages import browser, demo_page, served
from tests.demo_references import (
    GAN_STEPS,
    MOST,
    furthest,
    gan_steps,
    hold_gan,
    networks,
    sentence_embedding,
)
from tests.lab_page import find_browser

pytest.importorskip("playwright", reason="playwright is not installed; `make test` installs it")
pytestmark = pytest.mark.skipif(
    find_browser() is None,
    reason="no browser on PATH: install chromium or Google Chrome to test the page",
)

NAMES = [demo["name"] for demo in demos.listed()]
RUNTIME = ROOT / "site" / "node_modules" / "onnxruntime-web"


@cache
def missing() -> str | None:
    """What the demo of style transfer lacks, as a sentence; npm fetches what it can."""
    with contextlib.suppress(NotebookError):
        fetched_scripts(ROOT / "site")
    needed = {name: importlib.util.find_spec(name) for name in ("onnx", "onnxscript")}
    needed["onnxruntime-web"] = RUNTIME.is_dir()
    lacking = [name for name, there in needed.items() if not there]
    if lacking:
        return f"{lacking[0]} is missing: {demo_models.INSTALL} to test the demo of style transfer"
    return None


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    out = tmp_path_factory.mktemp("demos")
    demos.build(out, [name for name in NAMES if name != "style" or not missing()])
    shutil.copy(Path(__file__).parent / "demo_gan.mjs", out)
    return out


@pytest.fixture(scope="module")
def site(folder):
    with served(folder) as address, browser() as opened:
        yield opened, address


@pytest.fixture
def shown(request, site):
    """The page of a demo; afterwards nothing has left the server, and nothing has complained."""
    name = request.param
    if name == "style" and missing():
        pytest.skip(missing())
    opened, address = site
    with demo_page(opened, address, name) as page:
        yield page
        outside = [url for url in page.requests if not url.startswith((address, "data:", "blob:"))]
        assert not outside
        assert not page.complaints


def of(name):
    return pytest.mark.parametrize("shown", [name], indirect=True)


def told(capsys, name: str, largest: float, most: float = MOST) -> None:
    with capsys.disabled():
        print(f"\n{name}: largest difference from PyTorch {largest:.0e}", end=" ")
    assert largest < most


# Tested one by one below.
OTHERS = ("ring-gan", "diffusion", "horse-zebra", "convolution", "kl", "style")
SIMPLE = [name for name in NAMES if name not in OTHERS]


@pytest.mark.parametrize("shown", SIMPLE, indirect=True)
def test_the_images_are_those_of_pytorch(shown, capsys, request):
    name = request.node.callspec.params["shown"]
    (file,) = [key for key in networks() if key.startswith(f"{name}/")]
    net, x = networks()[file]
    found = [shown.evaluate("x => demo.run(x)", one) for one in x.flatten(1).tolist()]
    with torch.no_grad():
        told(capsys, name, furthest(found, net(x).flatten(1).tolist()))


@of("horse-zebra")
def test_both_translations_are_those_of_pytorch(shown, capsys):
    largest = 0.0
    for kind, other in (("horse", "zebra"), ("zebra", "horse")):
        pixels = shown.evaluate("kind => demo.images(kind)", kind)
        assert pixels == demo_models.drawn(kind).flatten().tolist()
        net, x = networks()[f"horse-zebra/to_{other}.safetensors"]
        run = "([x, to]) => demo.run(x, to)"
        found = [shown.evaluate(run, [one, other]) for one in x.flatten(1).tolist()]
        with torch.no_grad():
            largest = max(largest, furthest(found, net(x).flatten(1).tolist()))
    told(capsys, "horse-zebra", largest)


def ddim_of(predict, sampling, noise):
    """The states of DDIM by the package's sampler, at the noise levels that the page has.

    In double precision: x₀ from the noise is divided by √ᾱ, which is .00005 at the first step.
    """
    times, schedule = sampling["times"], Schedule(torch.tensor(sampling["kept"]).flip(0))

    def noise_of(x, share):
        number = round(share * schedule.steps)
        return noise_from_v(predict(x, times[-number]), x, schedule.at(number, x))

    return ddim(noise_of, schedule, noise, schedule.steps, clip=sampling["clip"])


@of("diffusion")
def test_both_denoisers_and_their_samples_are_those_of_pytorch(shown, capsys):
    all_is_sampled(shown)
    largest = 0.0
    for kind in ("ring", "digits"):
        net, x = networks()[f"diffusion/{kind}.safetensors"]
        run = "([kind, x]) => demo.run(kind, x)"
        found = [shown.evaluate(run, [kind, one]) for one in x.tolist()]
        with torch.no_grad():
            largest = max(largest, furthest(found, net(x).flatten(1).tolist()))
    path = shown.evaluate("demo.path()")
    start = torch.tensor(path[:1]).double()
    states = ddim_of(demo_models.ring_denoiser().double(), demo_models.ring_sampling(), start)
    largest = max(largest, furthest(path, torch.cat(states).tolist()))
    digit, unet = shown.evaluate("demo.digit()"), demo_models.digits_unet().double()
    y = F.one_hot(torch.tensor([digit["label"]]), unet.condition).double()

    def guided(x, t):
        return torch.lerp(unet(x, t), unet(x, t, y), digit["scale"])

    noise = torch.tensor(digit["noise"]).double().view(1, 1, 32, 32)
    states = ddim_of(guided, demo_models.digits_sampling(), noise)
    images = torch.cat(states).flatten(1).tolist()
    told(capsys, "diffusion", max(largest, furthest(digit["images"], images)))


@of("caption")
def test_sentences_are_encoded_as_in_pytorch(shown, capsys):
    sentences = [
        "A child with red pigtails and glasses, beaming, in front of a green wall.",
        "A GROWN-UP with purple hair … 12",
        "",
        " ".join(["old"] * 40),
    ]
    found = [shown.evaluate("sentence => demo.encode(sentence)", one) for one in sentences]
    told(capsys, "φ", furthest(found, [sentence_embedding(one).tolist() for one in sentences]))


@of("conditional-faces")
def test_attributes_are_encoded_as_in_the_lesson(shown):
    names = ["smile", "age", "glasses", "beard", "hair_style", "hair_colour"]
    for smile, age, glasses, beard in ((0.3, 0.0, 1, 0), (-1.0, 1.4, 0, 1), (1.0, 2.0, 0, 0)):
        values = {"smile": smile, "age": age, "glasses": glasses, "beard": beard}
        factors = {key: torch.tensor([value]) for key, value in values.items()}
        factors |= {"hair_style": torch.tensor([5]), "hair_colour": torch.tensor([2])}
        asked = values | {"hairStyle": "curly", "hairColour": "red"}
        found = shown.evaluate("values => demo.condition(values)", asked)
        assert furthest(found, face_vectors.encode(factors, names)[0].tolist()) < 1e-6


@of("convolution")
def test_convolutions_are_those_of_pytorch(shown, capsys):
    torch.manual_seed(0)
    largest = 0.0
    for d, f, p, s in ((6, 3, 0, 2), (8, 5, 3, 1), (3, 2, 1, 3), (2, 5, 0, 1), (5, 4, 1, 2)):
        image, kernel = torch.randn(d, d), torch.randn(f, f)
        for transposed in (False, True):
            asked = [image.flatten().tolist(), d, kernel.flatten().tolist(), f, p, s, transposed]
            found = shown.evaluate("all => demo.convolve(...all)", asked)
            if f > d + 2 * p and not transposed:
                assert found == []
                continue
            run = F.conv_transpose2d if transposed else F.conv2d
            expected = run(image[None, None], kernel[None, None], stride=s, padding=p)
            largest = max(largest, furthest(found, expected.flatten().tolist()))
    told(capsys, "convolution", largest)


@of("kl")
def test_divergences_are_those_of_pytorch(shown, capsys):
    largest = 0.0
    for mean, std in ((1.0, 0.5), (-2.0, 1.7), (0.0, 1.0)):
        q, p = Normal(mean, std), Normal(0.0, 1.0)
        expected = {"forward": kl_divergence(q, p).item(), "reverse": kl_divergence(p, q).item()}
        for call in ("gaussianKL(m, s)", "summedKL(m, s, 'normal')"):
            found = shown.evaluate(f"([m, s]) => demo.{call}", [mean, std])
            largest = max(largest, furthest(found, expected))
    modes = MixtureSameFamily(Categorical(torch.ones(2)), Normal(torch.tensor([-2.0, 2.0]), 0.6))
    x = torch.linspace(-12, 12, 6001, dtype=torch.float64)
    for mean, std in ((1.5, 0.7), (0.0, 2.1)):
        log_q, log_p = Normal(mean, std).log_prob(x), modes.log_prob(x)
        step = x[1] - x[0]
        expected = {
            "forward": ((log_q.exp() * (log_q - log_p)).sum() * step).item(),
            "reverse": ((log_p.exp() * (log_p - log_q)).sum() * step).item(),
        }
        found = shown.evaluate("([m, s]) => demo.summedKL(m, s, 'modes')", [mean, std])
        largest = max(largest, furthest(found, expected))
    told(capsys, "kl", largest)


REPLAY = """async given => {
    const [gan, random, { replay }] = await Promise.all(
        ["/ring-gan/gan.js", "/shared/random.js", "/demo_gan.mjs"].map(one => import(one)));
    return replay({ ...gan, ...random }, given);
}"""


@pytest.mark.parametrize("name", GAN_STEPS)
@of("ring-gan")
def test_the_gan_trains_in_the_page_as_in_lesson_04b(shown, name, capsys):
    given, expected = gan_steps(name, *GAN_STEPS[name])
    told(capsys, f"ring-gan, {name}", hold_gan(name, shown.evaluate(REPLAY, given), expected), 1e-4)


@of("style")
def test_the_stylized_photograph_is_that_of_pytorch(shown, capsys):
    net, largest = demo_models.stylizer(), 0.0
    shown.wait_for_selector("#styled[data-shown]")
    torch.manual_seed(0)
    for height, width in ((64, 96), (128, 128)):
        x, shares = torch.rand(1, 3, height, width), torch.zeros(1, 8)
        shares[0, 2], shares[0, 5] = 0.25, 0.75
        asked = [x.flatten().tolist(), width, height, shares[0].tolist()]
        found = shown.evaluate("all => demo.run(...all)", asked)
        with torch.no_grad():
            largest = max(largest, furthest(found, net(x, shares).flatten().tolist()))
    told(capsys, "style", largest)


# The demo of style transfer: every image that it shows from now on, and at which mixture.
NOTE_IMAGES = """() => {
    const styled = document.getElementById("styled");
    const sliders = document.querySelectorAll("#controls input");
    window.noted = [];
    new MutationObserver(() => noted.push([Number(sliders[0].value), styled.toDataURL()]))
        .observe(styled, { attributes: true, attributeFilter: ["data-shown"] });
    window.move = (which, value) => {
        sliders[which].value = value;
        sliders[which].dispatchEvent(new Event("input"));
    };
    window.choose = (painting) => document.querySelectorAll("#styles button")[painting].click();
}"""
STRAIGHT = """shares => {
    const { pixels, width, height } = demo.given();
    return demo.run(pixels, width, height, shares);
}"""
COMPLETE = "#styled[data-complete]"


def straight_from_the_network(page, first: int, second: int, mixture: float) -> torch.Tensor:
    """A mixture of two paintings, colours (3, H·W) in [0, 255], asked of the network itself."""
    shares = torch.zeros(8)
    shares[first] += 1 - mixture
    shares[second] += mixture
    return 255 * torch.tensor(page.evaluate(STRAIGHT, shares.tolist())).view(3, -1)


def off(shown: str, expected: torch.Tensor) -> float:
    """The largest difference of an image, as the address of its PNG, in levels of 255."""
    image = Image.open(BytesIO(b64decode(shown.partition(",")[2]))).convert("RGB")
    colours = torch.frombuffer(bytearray(image.tobytes()), dtype=torch.uint8)
    return (colours.view(-1, 3).T - expected).abs().max().item()


# Microtasks only: no answer of the worker can come between the slider's events and the images.
AT_ONCE = """async mixture => {
    for (const [slider, value] of [[0, mixture], [1, 0.5], [1, 1]]) {
        move(slider, value);
        await null;
    }
    return noted.splice(0).map(([, image]) => image);
}"""


@of("style")
def test_a_mixture_that_was_computed_ahead_is_shown_at_once(shown):
    shown.wait_for_selector(COMPLETE, timeout=60_000)
    assert shown.locator("#ready").inner_text() == "21 of 21 mixtures ready"
    shown.evaluate(NOTE_IMAGES)
    photograph = 255 * torch.tensor(shown.evaluate("demo.given().pixels")).view(3, -1)
    for mixture in (0.35, 1.0, 0.05):
        alone, faded, again = shown.evaluate(AT_ONCE, mixture)
        assert shown.locator("#said").inner_text().startswith("Computed ahead in ")
        expected = straight_from_the_network(shown, 0, 3, mixture)
        assert off(alone, expected) < 0.51 and again == alone
        assert off(faded, (photograph + expected) / 2) < 1.01


@of("style")
def test_no_image_of_a_painting_is_shown_that_is_no_longer_chosen(shown):
    shown.wait_for_selector(COMPLETE, timeout=60_000)
    shown.evaluate(NOTE_IMAGES)
    before = shown.evaluate("window.seen()")
    # In one task: the second choice and the moves come while the network works for the first.
    shown.evaluate("() => { for (const at of [2, 5]) choose(at); move(0, 1); move(0, 0.2); }")
    shown.wait_for_selector(COMPLETE, timeout=60_000)
    # What came too late of the first choice is not kept either: it was the mixture 0.
    shown.evaluate("async () => { for (const at of [0, 0.7]) { move(0, at); await null; } }")
    noted = shown.evaluate("noted")
    assert shown.evaluate("window.seen()") != before
    assert {0, 0.2, 0.7} <= {mixture for mixture, _ in noted}
    for mixture, image in noted:
        assert off(image, straight_from_the_network(shown, 5, 3, mixture)) < 0.51


AXE = ROOT / "site" / "node_modules" / "axe-core" / "axe.min.js"
FINDINGS = """axe.run().then(({ violations }) => violations
    .filter(one => ["serious", "critical"].includes(one.impact))
    .map(one => `${one.id}: ${one.nodes[0].html}`))"""


def hold_accessible(page) -> None:
    """No serious finding of axe-core, where npm has installed it."""
    if AXE.is_file():
        page.evaluate(AXE.read_text(encoding="utf-8"))
        assert page.evaluate(FINDINGS) == []


# A control that has no effect at once, and what shows that it has one.
AFTERWARDS = {("latent-walk", "Speed"): "while it plays: tested below"}


def wait_for_change(page, before) -> None:
    page.wait_for_function("before => window.seen() !== before", arg=before, timeout=20_000)


def move_every_control(page, name: str, after=lambda: None) -> int:
    """Move each slider, choice and tick of a page, and wait for other pixels; how many there are.

    Args:
        after: what has to be done to see the effect.
    """
    count = 0
    for control in page.locator("input[type=range], select, input[type=checkbox]").all():
        label = page.locator(f"label[for='{control.get_attribute('id')}']").inner_text()
        if (name, label) in AFTERWARDS:
            continue
        before = page.evaluate("window.seen()")
        kind = control.evaluate("one => one.type")
        if kind == "range":
            highest = control.evaluate("one => Number(one.value) === Number(one.max)")
            control.focus()
            for _ in range(2):
                page.keyboard.press("ArrowLeft" if highest else "ArrowRight")
        elif kind == "checkbox":
            control.focus()
            page.keyboard.press("Space")
        else:
            control.evaluate(
                """one => {
                    one.selectedIndex = (one.selectedIndex + 1) % one.options.length;
                    one.dispatchEvent(new Event("change"));
                }"""
            )
        after()
        wait_for_change(page, before)
        assert control.get_attribute("aria-describedby") or kind in ("select-one", "checkbox"), (
            label
        )
        count += 1
    return count


@pytest.mark.parametrize("shown", [name for name in NAMES if name != "ring-gan"], indirect=True)
def test_every_control_changes_what_one_sees(shown, request):
    name = request.node.callspec.params["shown"]
    if name == "latent-map":
        shown.wait_for_selector("#map[data-complete]")
    if name == "diffusion":
        all_is_sampled(shown)
    if name == "style":
        shown.wait_for_selector("#styled[data-shown]")
    hold_accessible(shown)
    assert move_every_control(shown, name) >= 2


@of("ring-gan")
def test_the_live_gan_is_trained_restarted_and_given_other_data(shown):
    def steps():
        return [fact["step"] for fact in shown.evaluate("demo.facts()")]

    def ten_updates():
        shown.wait_for_timeout(200)
        already = steps()
        shown.get_by_role("button", name="10 updates").click()
        for number, before in enumerate(already):
            asked = f"demo.facts()[{number}].step !== {before}"
            shown.wait_for_function(asked, timeout=20_000)

    shown.wait_for_function("demo.facts().every(fact => fact.modes !== undefined)")
    assert steps() == [0, 0]
    hold_accessible(shown)
    ten_updates()
    assert steps() == [10, 10]
    # seed, learning rate, both choices of the method, the data, and the two ticks
    assert move_every_control(shown, "ring-gan", after=ten_updates) == 7

    shown.get_by_role("button", name="Draw the data").click()
    box = shown.locator("canvas.map").first.bounding_box()
    shown.mouse.move(box["x"] + box["width"] / 4, box["y"] + box["height"] / 2)
    shown.mouse.down()
    shown.mouse.move(box["x"] + box["width"] * 3 / 4, box["y"] + box["height"] / 2, steps=10)
    shown.mouse.up()
    shown.get_by_role("button", name="Learn what is drawn").click()
    shown.wait_for_function("demo.facts().every(fact => fact.step > 0)", timeout=20_000)
    assert shown.evaluate("demo.runs[0].points.length") > 100
    shown.get_by_role("button", name="Pause").click()
    points = torch.tensor(shown.evaluate("Object.values(demo.runs[0].points)")).view(-1, 2)
    assert points[:, 1].abs().max() < 0.5 and points[:, 0].abs().max() < 1.6


@of("latent-map")
def test_the_point_is_dragged_by_mouse_touch_and_keys(shown):
    shown.wait_for_selector("#map[data-complete]")

    def place():
        return [float(one.input_value()) for one in shown.locator("input[type=range]").all()]

    box = shown.locator("#plane").bounding_box()
    shown.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown.mouse.down()
    shown.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + box["height"] * 0.25, steps=5)
    shown.mouse.up()
    shown.wait_for_function("document.activeElement.className === 'handle'")
    shown.wait_for_timeout(100)
    assert place() == pytest.approx([1.5, 1.5], abs=0.05)
    before = shown.evaluate("window.seen()")
    shown.keyboard.press("ArrowLeft")
    wait_for_change(shown, before)
    assert place()[0] == pytest.approx(1.44, abs=0.05)
    before = shown.evaluate("window.seen()")
    shown.get_by_role("button", name="Pin this point").click()
    wait_for_change(shown, before)


def all_is_sampled(page) -> None:
    page.wait_for_selector("#map[data-complete]")
    page.wait_for_selector("#sample[data-complete]")
    page.wait_for_timeout(100)


@of("diffusion")
def test_another_start_leads_to_another_mode_and_other_noise_to_another_digit(shown):
    all_is_sampled(shown)
    where = shown.locator("#where")
    assert "the mode at 45°" in where.inner_text()
    box = shown.locator("#plane").bounding_box()
    shown.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    shown.mouse.down()
    shown.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2, steps=5)
    shown.mouse.up()
    shown.get_by_text("the mode at 180°").wait_for()
    assert shown.evaluate("demo.path()[0]") == pytest.approx([-1.8, 0.0], abs=0.02)
    for _ in range(5):
        shown.keyboard.press("Shift+ArrowDown")
    shown.get_by_text("the mode at 225°").wait_for()
    for press in ("New noise", "Class 7"):
        before = shown.evaluate("window.seen()")
        shown.get_by_role("button", name=press).click()
        wait_for_change(shown, before)
        all_is_sampled(shown)
    assert shown.evaluate("demo.digit().label") == 7


@of("diffusion")
def test_a_step_shows_what_is_stored(shown):
    all_is_sampled(shown)
    shown.locator("input[type=range]").first.focus()
    shown.keyboard.press("End")
    shown.get_by_text(". σₜ = 0.00").wait_for()
    noisy, estimate = (shown.locator(f"#{name}") for name in ("noisy", "estimate"))
    pixels = "canvas => canvas.toDataURL()"
    assert noisy.evaluate(pixels) == estimate.evaluate(pixels)
    shown.keyboard.press("Home")
    shown.get_by_text("0 of 20").wait_for()
    shown.wait_for_timeout(100)
    assert noisy.evaluate(pixels) != estimate.evaluate(pixels)


@of("latent-walk")
def test_the_walk_walks(shown):
    before = shown.evaluate("window.seen()")
    shown.get_by_role("button", name="Play").click()
    wait_for_change(shown, before)
    shown.get_by_role("button", name="Pause").click()
    before = shown.evaluate("window.seen()")
    shown.get_by_role("button", name="Another path").click()
    wait_for_change(shown, before)


@of("caption")
def test_unknown_words_are_named(shown):
    before = shown.evaluate("window.seen()")
    shown.locator("#sentence").fill("A pirate with blue hair.")
    wait_for_change(shown, before)
    assert "Not in the vocabulary: pirate." in shown.locator("#known").inner_text()
    shown.locator("#words button", has_text="beard").click()
    assert shown.locator("#sentence").input_value() == "A pirate with blue hair. beard"


@of("style")
def test_a_photograph_of_ones_own_is_bounded_and_a_bad_file_explained(shown, tmp_path):
    shown.wait_for_selector("#styled[data-shown]")
    (tmp_path / "notes.png").write_bytes(b"no image at all")
    shown.locator("#file").set_input_files(tmp_path / "notes.png")
    shown.get_by_text("cannot be read as an image").wait_for()
    Image.new("RGB", (1600, 800), "tomato").save(tmp_path / "mine.png")
    asked = len(shown.requests)
    before = shown.evaluate("window.seen()")
    shown.locator("#file").set_input_files(tmp_path / "mine.png")
    wait_for_change(shown, before)
    shown.wait_for_function("document.getElementById('styled').height === 96", timeout=20_000)
    given = shown.evaluate("demo.given()")
    assert (given["width"], given["height"]) == (192, 96)
    assert given["pixels"][0] == pytest.approx(1.0) and len(given["pixels"]) == 3 * 192 * 96
    assert not [url for url in shown.requests[asked:] if not url.startswith("blob:")]


@pytest.mark.parametrize("name", NAMES)
def test_a_page_fits_on_a_phone_in_the_dark(site, name):
    if name == "style" and missing():
        pytest.skip(missing())
    phone = {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark", "has_touch": True}
    with demo_page(*site, name, **phone) as page:
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == (
            "rgb(19, 20, 22)"
        )
        hold_accessible(page)


def test_nothing_of_the_runtime_is_loaded_before_its_demo_is_scrolled_to(site):
    if missing():
        pytest.skip(missing())
    opened, address = site
    page = opened.new_page(viewport={"width": 1280, "height": 720})
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}index.html")
    page.frame_locator("#latent-map iframe").locator("html[data-ready=yes]").wait_for()
    assert not [url for url in asked if "/ort/" in url]
    scroll = """() => [...document.querySelectorAll("iframe")].filter(one =>
        one.contentDocument?.documentElement.dataset.ready
            && one.contentDocument.documentElement.scrollHeight > one.clientHeight)"""
    page.wait_for_function(f"({scroll})().length === 0")  # a frame is as high as its demo
    page.locator("#style iframe").scroll_into_view_if_needed()
    frame = page.frame_locator("#style iframe")
    frame.locator("#styled").scroll_into_view_if_needed()
    frame.locator("#styled[data-shown]").wait_for(timeout=30_000)
    assert [url for url in asked if url.endswith(".wasm.gz")]
    page.close()

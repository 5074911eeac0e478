"""What the solutions of notebook 05b say beside their code, and what captions say of colours."""

import pytest
import torch
import torch.nn.functional as F

from course_utils.data import faces
from course_utils.data.face_factors import WALLS
from course_utils.data.face_sheet import PLAIN
from tests.answers.text_and_attributes import zero_shot


def test_the_temperature_says_how_sure_a_classifier_is_and_does_not_change_its_decision():
    angles = torch.tensor([0.8, 0.7]).acos()
    image, prompts = torch.tensor([[1.0, 0.0]]), torch.stack([angles.cos(), angles.sin()], dim=1)
    for temperature, sure in ((1.0, 0.525), (0.01, 0.99995)):
        assert zero_shot(image, prompts, temperature)[0, 0].item() == pytest.approx(sure, abs=1e-4)


def test_equal_steps_on_a_line_are_not_equal_on_the_sphere():
    ends = torch.eye(2)
    walk = F.normalize(torch.lerp(ends[0], ends[1], torch.linspace(0, 1, 9)[:, None]))
    steps = F.cosine_similarity(walk[1:], walk[:-1]).acos().rad2deg()
    assert steps.tolist() == pytest.approx([8.1, 10.3, 12.5, 14, 14, 12.5, 10.3, 8.1], abs=0.1)


@pytest.mark.parametrize("number", range(6))
def test_a_wall_has_the_colour_that_its_caption_says(number):
    """Salmon: most red. Lilac: red and blue alike, and least green."""
    factors = PLAIN | {"background": number / 6}
    tensors = {name: torch.tensor([value]) for name, value in factors.items()}
    red, green, blue = faces.render(tensors)[0, :, 0, 0].tolist()
    strongest = {
        "salmon": red > max(green, blue) + 0.1,
        "yellow": min(red, green) > blue + 0.1,
        "green": green > max(red, blue) + 0.1,
        "turquoise": min(green, blue) > red + 0.1,
        "blue": blue > max(red, green) + 0.1,
        "lilac": min(red, blue) > green + 0.1,
    }
    assert [word for word, holds in strongest.items() if holds] == [WALLS[number]]
    assert f" {WALLS[number]} " in faces.caption(factors)

"""What the solutions of notebook 07 say besides the answers."""

from course_utils import models
from course_utils.exercises import resnet as exercises


def test_the_last_stage_has_three_quarters_and_depth_is_paid_for_once():
    parameters = exercises.check_parameters.reference
    third = sum(weight.numel() for weight in models.cifar_resnet(20).layer3.parameters())
    assert 0.7 < third / parameters(3) < 0.8
    assert 2 * parameters(9) < parameters(18) < 2.1 * parameters(9)
    assert [round(parameters(n) / 1e6, 2) for n in (3, 5, 7, 9)] == [0.27, 0.46, 0.66, 0.85]


def test_two_blocks_of_a_resnet_change_their_shape_however_deep_it_is():
    for depth in (20, 56):
        blocks = models.cifar_resnet(depth).blocks().values()
        assert sum(not block.same_shape for block in blocks) == 2

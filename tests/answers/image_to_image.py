"""Answers to the exercises of notebook 05c."""

import torch
import torch.nn.functional as F


def loss(logits, output, truth, weight, log_sigmoid=F.logsigmoid):
    return -log_sigmoid(logits).mean() + weight * F.l1_loss(output, truth)


def loss_in_double(logits, output, truth, weight):
    return (1 + (-logits.double()).exp()).log().mean() + weight * (truth - output).abs().mean()


def errors(possible):
    of_mean = (possible - possible.mean(0)).square().sum(1).mean()
    return of_mean, (possible[:, None] - possible).square().sum(2).mean()


def errors_of_random_samples(possible):
    sample, true = possible[torch.randint(len(possible), (2, 50))]
    return errors(possible)[0], (sample - true).square().sum(1).mean()


RIGHT = {
    "generator_loss": [loss, loss_in_double],
    "errors_of_mean_and_sample": [
        lambda x: torch.stack(errors(x)),
        lambda x: [errors(x)[0].item(), 2 * errors(x.double())[0].view(1)],
    ],
}
WRONG = {
    "generator_loss": [
        (lambda *given: loss(*given, torch.log), "logits have either sign and no log"),
        (lambda *given: loss(*given, lambda d: d.sigmoid().log()), "σ(-200) is rounded to 0"),
        (lambda d, x, t, w: loss(d, x, t, 3), "its weight 0.3, so the loss is"),
        (lambda d, x, t, w: loss(d, x.detach(), t, w), "its slope is 0 for `output`"),
        (lambda d, x, t, w: loss(d.detach(), x, t, w), "its slope is 0 for `logits`"),
        (lambda *given: loss(*given).detach(), "no gradient can flow back"),
        (lambda *given: loss(*given).item(), "leave out .item()"),
        (lambda d, x, t, w: F.softplus(-d) + w * F.l1_loss(x, t), "one number a patch"),
        (lambda d, x, t, w: F.softplus(-d).mean() + w * (x - t).abs(), "one number a pixel"),
        (lambda d, x, t, w: F.softplus(-d).mean((1, 2)) + w * F.l1_loss(x, t), "number an image"),
        (lambda d, x, t, w: F.softplus(-d) + w * (x - t).abs(), "average each term to one number"),
    ],
    "errors_of_mean_and_sample": [
        (errors_of_random_samples, "of 5 possible images of 3 pixels"),
        (lambda x: errors(x)[0], "return two numbers"),
        (lambda x: (*errors(x), 3.01), "return two numbers"),
        (lambda x: (x[0], errors(x)[1]), "not a tensor of shape (3,)"),
        (lambda x: (errors(x)[0], 2 * errors(x)[0] + (len(x) == 1)), "if only one image"),
    ],
}

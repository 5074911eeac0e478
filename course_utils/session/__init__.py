"""A session: the device, budget and seed of a lesson, and how it reports.

Open `lab` for `start` and the `Lab` that it returns, `progress` for the line of progress,
`records` for outputs that programs can read too, `processes` for training on several GPUs, and
`files` for files that are written in one step.
"""

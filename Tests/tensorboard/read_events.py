# SPDX-License-Identifier: Apache-2.0
# Prints what TensorBoard's own reader finds in a run's folder: read_events.py RUN_FOLDER
import sys

from tensorboard.backend.event_processing import event_accumulator

# Zero keeps every event; TensorBoard itself shows a sample of them.
accumulator = event_accumulator.EventAccumulator(sys.argv[1], size_guidance={"tensors": 0, "scalars": 0, "histograms": 0})
accumulator.Reload()
tags = accumulator.Tags()
for tag in sorted(tags["scalars"]):
    print("scalar", tag, *(f"{event.step}:{event.value:.9g}" for event in accumulator.Scalars(tag)))
for tag in sorted(tags["histograms"]):
    for event in accumulator.Histograms(tag):
        value = event.histogram_value
        assert len(value.bucket) == len(value.bucket_limit)
        print("histogram", tag, event.step, f"{value.num:g} {value.min:g} {value.max:g} {sum(value.bucket):g}")
if tags["graph"]:
    for node in accumulator.Graph().node:
        shape = [dim.size for dim in node.attr["_output_shapes"].list.shape[0].dim]
        print("node", node.name, node.op, shape, *node.input)

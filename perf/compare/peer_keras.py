# SPDX-License-Identifier: Apache-2.0
"""Trains a net of nets.py in Keras on TensorFlow: model.fit on in-memory arrays, fp32, no XLA."""

import peer_run

import os
import time

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import tensorflow

import nets

LOSSES = {
    nets.SOFTMAX: lambda: keras.losses.SparseCategoricalCrossentropy(from_logits=True),
    nets.BINARY: lambda: keras.losses.BinaryCrossentropy(from_logits=True),
    nets.SQUARES: keras.losses.MeanSquaredError,
}


class Clock(keras.callbacks.Callback):
    """Reports the first step and, from the end of one epoch to the end of the next, every epoch."""

    async_safe = True  # lets Keras go on without waiting for each step's logs

    def __init__(self, report, samples, heads):
        super().__init__()
        self.report = report
        self.samples = samples
        self.heads = heads

    def on_train_begin(self, logs=None):
        self.epoch_start = time.perf_counter()

    def on_train_batch_end(self, batch, logs=None):
        self.report.step_done()

    def on_epoch_end(self, epoch, logs):
        now = time.perf_counter()
        losses = {name: logs[f"{name}_loss"] for name in self.heads}
        self.report.epoch_done(now - self.epoch_start, self.samples, losses)
        self.epoch_start = time.perf_counter()


def add_layers(layers, values):
    """Keras's defaults are Glorot-uniform weights and zero biases."""
    for layer in layers:
        match layer:
            case nets.Conv2D(filters, kernel, padding):
                values = keras.layers.Conv2D(filters, kernel, padding=padding, activation="relu")(values)
            case nets.MaxPool2D(window):
                values = keras.layers.MaxPooling2D(window)(values)
            case nets.Flatten():
                values = keras.layers.Flatten()(values)
            case nets.Dense(units):
                values = keras.layers.Dense(units, activation="relu")(values)
            case nets.Linear(units):
                values = keras.layers.Dense(units)(values)
    return values


def build_model(net):
    """{input: [N, *shape]} -> {head: outputs [N, units]}, compiled."""
    inputs = {name: keras.Input(input.shape) for name, input in net.inputs.items()}
    values = dict(inputs)
    for name, node in net.nodes.items():
        values[name] = add_layers(node.layers, values[node.source])
    model = keras.Model(inputs, {name: values[name] for name in net.heads})
    model.compile(
        optimizer=keras.optimizers.Adam(net.learning_rate, net.beta1, net.beta2, net.epsilon),
        loss={name: LOSSES[head.loss]() for name, head in net.heads.items()},
        loss_weights={name: head.weight for name, head in net.heads.items()},
        jit_compile=False,
    )
    return model


def evaluate(arguments, model):
    """Test accuracy of each head that has one."""
    inputs, labels = peer_run.read_split(arguments, "test")
    return peer_run.accuracies(arguments.net, model.predict(inputs, batch_size=1000, verbose=0), labels)


def main():
    arguments = peer_run.parse_arguments(__doc__)
    tensorflow.config.threading.set_intra_op_parallelism_threads(arguments.threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(arguments.threads)
    keras.utils.set_random_seed(arguments.seed)
    net = arguments.net
    model = build_model(net)
    peer_run.check_parameters(arguments, model.count_params())
    inputs, labels = peer_run.read_split(arguments, "train")
    report = peer_run.Report("keras")
    clock = Clock(report, peer_run.sample_count(inputs), list(net.heads))
    model.fit(inputs, labels, batch_size=net.batch_size, epochs=arguments.epochs, verbose=0, callbacks=[clock])
    versions = {"keras": keras.__version__, "tensorflow": tensorflow.__version__}
    report.run_done(evaluate(arguments, model) if arguments.evaluate else None, versions)


if __name__ == "__main__":
    main()

// SPDX-License-Identifier: Apache-2.0
// What other tools call things that recipes have under another name.

import MTLFast

/// Words of Keras, PyTorch and others, and what they are here.
private let foreignWords: [String: [String]] = [
  "lr": ["learning_rate", "optimizer"], "learning_rate": ["optimizer"], "momentum": ["optimizer"],
  "learningrate": ["learning_rate"], "eta": ["learning_rate"], "eps": ["epsilon"],
  "betas": ["beta1"], "beta_1": ["beta1"], "beta_2": ["beta2"], "decay": ["weight_decay"],
  "kernel_size": ["kernel"], "ksize": ["kernel"], "strides": ["stride"], "pool_size": ["size"],
  "out_channels": ["filters"], "channels": ["filters"], "features": ["units"], "out_features": ["units"],
  "neurons": ["units"], "p": ["rate"], "act": ["activation"], "kernel_initializer": ["initializer"],
  "linear": ["dense"], "fc": ["dense"], "conv": ["conv2d"], "batchnorm": ["batch_norm"],
  "batch_normalization": ["batch_norm"], "batchnorm2d": ["batch_norm"], "layernorm": ["layer_norm"],
  "maxpool": ["max_pool2d"], "max_pooling2d": ["max_pool2d"], "maxpool2d": ["max_pool2d"],
  "avgpool": ["avg_pool2d"], "average_pooling2d": ["avg_pool2d"], "concat": ["concatenate"], "swish": ["silu"],
  "upsample": ["upsample2d"], "upsampling2d": ["upsample2d"],
  "mse": ["mean_squared_error", "rmse"], "l2": ["mean_squared_error"], "l1": ["mean_absolute_error", "mae"],
  "mae": ["mean_absolute_error"], "cross_entropy": ["softmax_cross_entropy"],
  "crossentropy": ["softmax_cross_entropy"], "categorical_crossentropy": ["softmax_cross_entropy"],
  "sparse_categorical_crossentropy": ["softmax_cross_entropy"], "bce": ["binary_cross_entropy"],
  "binary_crossentropy": ["binary_cross_entropy"], "f1": ["dice", "balanced_accuracy"], "f1_score": ["dice"],
  "acc": ["accuracy"], "jaccard": ["iou"], "miou": ["iou"], "top_5": ["top_5_accuracy"],
  "train": ["training"], "val": ["validation"], "valid": ["validation"], "testing": ["test"],
  "batchsize": ["batch_size"], "bs": ["batch_size"], "n_epochs": ["epochs"], "num_epochs": ["epochs"],
  "max_epochs": ["epochs"], "random_seed": ["seed"], "random_state": ["seed"],
  "scheduler": ["schedule"], "lr_scheduler": ["schedule"], "warmup": ["warm_up"],
  "clip_norm": ["gradient_clipping"], "clipnorm": ["gradient_clipping"], "grad_clip": ["gradient_clipping"],
  "loss_weight": ["weight"], "std": ["standard_deviation"], "normalization": ["normalize"], "label": ["labels"],
  "outputs": ["heads"], "dataset": ["data"], "datasets": ["data"], "layers": ["model"], "network": ["model"],
  "num_classes": ["classes"], "class_names": ["classes"], "jpeg": ["images"], "image_folder": ["images"],
  "numpy": ["npz"], "npy": ["npz"], "mnist": ["fashion-mnist"], "augmentation": ["augment"],
  "horizontal_flip": ["flip"],
]

/// The known name that was meant by another one, if there is one that is likely.
func likelyWord(for name: String, known: [String]) -> String? {
  foreignWords[name.lowercased()]?.first(where: known.contains) ?? nearest(to: name, among: known)
}

/// As `unknownName`; a word of another tool is told by the one that stands for it here.
func unknownWord(_ what: String, _ name: String, in place: String, known: [String]) -> String {
  let text = unknownName(what, name, in: place, known: known)
  guard let own = foreignWords[name.lowercased()]?.first(where: known.contains) else { return text }
  let hint =
    own == "optimizer" ? "It is a setting of 'optimizer': {adam: {learning_rate: 0.001}}." : "Here it is '\(own)'."
  // What stands for it is surer than what looks like it.
  return text.firstRange(of: " Did you mean").map { text[..<$0.lowerBound] + " \(hint)" } ?? "\(text) \(hint)"
}

// SPDX-License-Identifier: Apache-2.0
// The catalogue's entry of Fashion-MNIST.

extension KnownDataset {
  /// 70,000 grey images of clothing in 10 classes, `[28, 28, 1]`.
  ///
  /// Source: H. Xiao, K. Rasul, R. Vollgraf, "Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
  /// Algorithms", arXiv:1708.07747, 2017.
  public static let fashionMNIST = KnownDataset(
    name: "fashion-mnist",
    title: "Fashion-MNIST",
    summary: "70,000 grey 28x28 images of clothing in 10 classes: 60,000 for training, 10,000 for the test.",
    licence: "MIT",
    source: "H. Xiao, K. Rasul, R. Vollgraf (Zalando Research), arXiv:1708.07747, 2017",
    homepage: "https://github.com/zalandoresearch/fashion-mnist",
    downloadURL: "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    debianPackage: "dataset-fashion-mnist",
    inputColumn: "image",
    inputShape: .image(height: 28, width: 28, channels: 1),
    labels: [
      Labels(
        column: "label",
        classNames: [
          "T-shirt/top", "Trouser", "Pullover", "Dress", "Coat", "Sandal", "Shirt", "Sneaker", "Bag", "Ankle boot",
        ])
    ],
    layout: .idx(
      training: (
        images: File(
          name: "train-images-idx3-ubyte.gz", content: "60000 images of 28x28", sampleCount: 60000,
          downloadBytes: 26_421_880, byteCount: 47_040_016,
          sha256: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888"),
        labels: File(
          name: "train-labels-idx1-ubyte.gz", content: "60000 labels", sampleCount: 60000,
          downloadBytes: 29_515, byteCount: 60_008,
          sha256: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9")
      ),
      test: (
        images: File(
          name: "t10k-images-idx3-ubyte.gz", content: "10000 images of 28x28", sampleCount: 10000,
          downloadBytes: 4_422_102, byteCount: 7_840_016,
          sha256: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b"),
        labels: File(
          name: "t10k-labels-idx1-ubyte.gz", content: "10000 labels", sampleCount: 10000,
          downloadBytes: 5_148, byteCount: 10_008,
          sha256: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34")
      )))
}

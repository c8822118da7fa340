// SPDX-License-Identifier: Apache-2.0
// The catalogue's entries of CIFAR-10 and CIFAR-100.

extension KnownDataset {
  /// 60,000 colour images in 10 classes, `[32, 32, 3]`.
  public static let cifar10 = cifar(
    .cifar10, title: "CIFAR-10", summary: "60,000 colour 32x32 images in 10 classes",
    labels: [
      Labels(
        column: "label",
        classNames: [
          "airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck",
        ])
    ], downloadBytes: 170_052_171, md5: "c32a1d4ab5d03f1284b67883e8d87530")

  /// 60,000 colour images in 100 classes, which make up 20 groups, `[32, 32, 3]`.
  public static let cifar100 = cifar(
    .cifar100, title: "CIFAR-100", summary: "60,000 colour 32x32 images in 100 fine and 20 coarse classes",
    labels: [
      Labels(column: "fine", classNames: names(fineNames)), Labels(column: "coarse", classNames: names(coarseNames)),
    ], downloadBytes: 168_513_733, md5: "03b5dce01913d631647c71ecec9e9cb8")

  private static func cifar(
    _ variant: CIFARVariant, title: String, summary: String, labels: [Labels], downloadBytes: Int, md5: String
  ) -> KnownDataset {
    KnownDataset(
      name: variant.name, title: title, summary: "\(summary): 50,000 for training, 10,000 for the test.",
      licence: "none stated (distributed for research)",
      source: "A. Krizhevsky, \"Learning Multiple Layers of Features from Tiny Images\", 2009",
      homepage: "https://www.cs.toronto.edu/~kriz/cifar.html", downloadURL: "https://www.cs.toronto.edu/~kriz/",
      debianPackage: nil, inputColumn: "image", inputShape: .image(height: 32, width: 32, channels: 3),
      labels: labels,
      layout: .cifar(
        variant,
        archive: File(
          name: variant.archiveName, content: "60000 images of 32x32x3 with their labels", sampleCount: 60000,
          downloadBytes: downloadBytes, byteCount: downloadBytes, sha256: nil, md5: md5)))
  }

  private static func names(_ text: String) -> [String] { text.split(whereSeparator: \.isWhitespace).map(String.init) }

  private static let coarseNames = """
    aquatic_mammals fish flowers food_containers fruit_and_vegetables household_electrical_devices household_furniture
    insects large_carnivores large_man-made_outdoor_things large_natural_outdoor_scenes large_omnivores_and_herbivores
    medium_mammals non-insect_invertebrates people reptiles small_mammals trees vehicles_1 vehicles_2
    """

  private static let fineNames = """
    apple aquarium_fish baby bear beaver bed bee beetle bicycle bottle bowl boy bridge bus butterfly camel can castle
    caterpillar cattle chair chimpanzee clock cloud cockroach couch crab crocodile cup dinosaur dolphin elephant
    flatfish forest fox girl hamster house kangaroo keyboard lamp lawn_mower leopard lion lizard lobster man maple_tree
    motorcycle mountain mouse mushroom oak_tree orange orchid otter palm_tree pear pickup_truck pine_tree plain plate
    poppy porcupine possum rabbit raccoon ray road rocket rose sea seal shark shrew skunk skyscraper snail snake spider
    squirrel streetcar sunflower sweet_pepper table tank telephone television tiger tractor train trout tulip turtle
    wardrobe whale willow_tree wolf woman worm
    """
}

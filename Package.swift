// swift-tools-version: 6.2
// SPDX-License-Identifier: Apache-2.0
// The package: one C target with every kernel, Swift targets that only look downwards, one executable.

import PackageDescription

let kernelFlags: [CSetting] = [
  // OpenMP is used by src/base/parallel.c alone; -O3 also in debug builds, so that `swift test` tests what ships.
  .unsafeFlags(["-std=c11", "-O3", "-fno-math-errno", "-ffp-contract=off", "-Wall", "-Wextra"]),
  .unsafeFlags(["-fopenmp"], .when(platforms: [.linux])),
  .unsafeFlags(["-Xpreprocessor", "-fopenmp"], .when(platforms: [.macOS])),
]

let package = Package(
  name: "mtl-fast",
  platforms: [.macOS(.v15)],
  products: [
    .library(name: "MTLFast", targets: ["MTLFast", "MTLFastData", "MTLFastTraining", "MTLFastRecipes"]),
    // Without readers of data, downloads and recipes: for programs that bring their own samples.
    .library(name: "MTLFastTraining", targets: ["MTLFast", "MTLFastTraining"]),
    .library(name: "CKernels", targets: ["CKernels"]),
    .executable(name: "mtl-fast", targets: ["mtl-fast"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/jpsim/Yams", from: "6.0.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.28.0"),
  ],
  targets: [
    // MARK: C
    .target(
      name: "CKernels", path: "CKernels",
      exclude: ["README.md", "Makefile", "mtlf.pc.in", "example", "check_includes.sh"], sources: ["src"],
      publicHeadersPath: "include", cSettings: kernelFlags,
      linkerSettings: [
        .linkedLibrary("omp5", .when(platforms: [.linux])),
        .linkedLibrary("omp", .when(platforms: [.macOS])),
      ]),
    .systemLibrary(
      name: "CArchive", pkgConfig: "libarchive", providers: [.apt(["libarchive-dev"]), .brew(["libarchive"])]),
    .systemLibrary(
      name: "CCurl", pkgConfig: "libcurl", providers: [.apt(["libcurl4-openssl-dev"]), .brew(["curl"])]),
    .systemLibrary(
      name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
    .systemLibrary(
      name: "CJPEG", pkgConfig: "libturbojpeg", providers: [.apt(["libturbojpeg0-dev"]), .brew(["jpeg-turbo"])]),
    .systemLibrary(name: "CPNG", pkgConfig: "libpng", providers: [.apt(["libpng-dev"]), .brew(["libpng"])]),

    // MARK: Library, from files and kernels upwards
    .target(name: "Files", dependencies: ["CCrypto"]),
    .target(name: "Kernels", dependencies: ["Files", "CKernels"]),
    .target(name: "MTLFast", dependencies: ["Files", "Kernels"]),
    .target(name: "MTLFastStep", dependencies: ["MTLFast", "Kernels"]),
    .target(
      name: "MTLFastData", dependencies: ["Files", "MTLFast", "Kernels", "CArchive", "CCurl", "CJPEG", "CPNG"]),
    .target(
      name: "MTLFastTraining",
      dependencies: [
        "Files", "MTLFast", "MTLFastStep", "Kernels", .product(name: "SwiftProtobuf", package: "swift-protobuf"),
      ],
      exclude: ["TensorBoard/tensorboard.proto"]),
    .target(
      name: "MTLFastRecipes",
      dependencies: ["Files", "MTLFast", "MTLFastData", "MTLFastTraining", .product(name: "Yams", package: "Yams")],
      resources: [.embedInCode("Resources")]),

    // MARK: Program
    .executableTarget(
      name: "mtl-fast",
      dependencies: [
        "Files", "MTLFast", "MTLFastData", "MTLFastTraining", "MTLFastRecipes",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ]),

    // MARK: Tests
    // The oracle of the kernels; its products and sums are rounded one by one.
    .target(
      name: "CReference", dependencies: ["CKernels"], path: "Tests/CReference",
      cSettings: [.unsafeFlags(["-std=c11", "-O2", "-ffp-contract=off", "-Wall", "-Wextra"])]),
    .target(name: "TestSupport", dependencies: ["Files"], path: "Tests/TestSupport"),
    .testTarget(name: "FilesTests", dependencies: ["Files", "TestSupport"]),
    .testTarget(name: "KernelsTests", dependencies: ["Files", "Kernels", "TestSupport", "CKernels", "CReference"]),
    .testTarget(name: "MTLFastTests", dependencies: ["MTLFast"]),
    .testTarget(name: "MTLFastStepTests", dependencies: ["MTLFastStep", "MTLFast", "Kernels"]),
    .testTarget(
      name: "MTLFastDataTests",
      dependencies: ["Files", "MTLFast", "MTLFastData", "TestSupport", "CArchive", "CJPEG", "CPNG"]),
    .target(name: "CAllocationCounter", path: "Tests/CAllocationCounter"),
    // What a program links that trains and brings its own samples.
    .executableTarget(
      name: "training-alone", dependencies: ["MTLFast", "MTLFastTraining"], path: "Tests/TrainingAlone"),
    .testTarget(
      name: "MTLFastTrainingTests",
      dependencies: [
        "training-alone", "Files", "MTLFastTraining", "MTLFastStep", "MTLFast", "Kernels", "TestSupport",
        "CAllocationCounter",
      ]),
    .testTarget(name: "MTLFastRecipesTests", dependencies: ["Files", "MTLFastRecipes", "TestSupport", "CJPEG"]),
    .testTarget(name: "CommandLineTests", dependencies: ["mtl-fast", "MTLFastRecipes"]),
  ],
  cLanguageStandard: .c11
)

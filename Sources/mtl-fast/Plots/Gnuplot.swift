// SPDX-License-Identifier: Apache-2.0
// Runs gnuplot as a process of its own.

import Files
import MTLFast
import MTLFastTraining

/// Draws scripts in a temporary folder and puts the whole pictures where they belong.
enum Gnuplot {
  /// Whether there is a gnuplot to run. Ask before long work whose end is a picture.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput`, with what to install.
  static func requireInstalled() throws {
    guard ChildProcess.isInstalled("gnuplot") else { throw missing }
  }

  /// Draws one picture as `name.png` and `name.svg` in a folder, which is made where it isn't there.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where gnuplot isn't installed, `writeFailed`, `system` where it fails.
  static func draw(_ script: GnuplotScript, name: String, into folder: String) throws {
    try Folder.make(folder)
    let temporary = try TemporaryFolder(named: "mtl-fast-plot")
    let picture = "\(temporary.path)/picture"
    try DurableFile.replace("\(temporary.path)/script", with: script.text(writing: picture))
    try run(in: temporary.path)
    for ending in ["png", "svg"] {
      let drawn = try WholeFile(path: "\(picture).\(ending)")
      var bytes = withExtendedLifetime(drawn) { Array(drawn.bytes) }
      if ending == "svg" {
        // Cells of a matrix are pixels of an image: enlarged, they must not be blurred.
        let text = String(decoding: bytes, as: UTF8.self)
        bytes = Array(text.replacing("<image ", with: "<image style='image-rendering:pixelated' ").utf8)
      }
      try DurableFile.replace("\(folder)/\(name).\(ending)", with: bytes)
    }
  }

  /// Runs the script of a folder. `-d`: a gnuplotrc of the user's must not change the pictures.
  private static func run(in folder: String) throws {
    let errors = "\(folder)/errors"
    switch try ChildProcess.run("gnuplot", ["-d"], input: "\(folder)/script", errors: errors) {
    case .done: return
    case .missing: throw missing
    case .failed(let status):
      let said =
        ((try? WholeFile.text(of: errors)) ?? "").split(whereSeparator: \.isNewline).last.map { ": \($0)" } ?? ""
      throw MTLFastError(
        .system, "gnuplot failed (status \(status))\(said). Version 5.2 or later is needed: gnuplot -V.")
    }
  }

  private static let missing = MTLFastError(
    .missingInput,
    "gnuplot is not installed, and it draws the pictures. Run ./setup.sh, or apt-get install gnuplot-nox (on a Mac: brew install gnuplot)."
  )
}

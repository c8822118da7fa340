// SPDX-License-Identifier: Apache-2.0
// Runs gnuplot as a process of its own.

import MTLFast
import MTLFastTraining

#if canImport(Darwin)
  import Darwin
#elseif canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Draws scripts in a temporary folder and puts the whole pictures where they belong.
enum Gnuplot {
  /// Whether there is a gnuplot to run. Ask before long work whose end is a picture.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput`, with what to install.
  static func requireInstalled() throws {
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    let folders = path.split(separator: ":", omittingEmptySubsequences: false).map { $0.isEmpty ? "." : $0 }
    guard folders.contains(where: { access("\($0)/gnuplot", X_OK) == 0 }) else { throw missing }
  }

  /// Draws one picture as `name.png` and `name.svg` in a folder, which is made where it isn't there.
  ///
  /// - Throws: `MTLFastError` of kind `missingInput` where gnuplot isn't installed, `writeFailed`, `system` where it fails.
  static func draw(_ script: GnuplotScript, name: String, into folder: String) throws {
    try Folder.make(folder)
    var template = Array("\(temporaryFolder)/mtl-fast-plot-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else {
      throw MTLFastError(
        .writeFailed,
        "\(temporaryFolder): no temporary folder can be made: \(String(cString: strerror(errno))). Set TMPDIR.")
    }
    let temporary = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    defer { remove(temporary) }
    try DurableFile.replace("\(temporary)/script", with: script.text(writing: "\(temporary)/picture"))
    try run(in: temporary)
    for ending in ["png", "svg"] {
      let picture = try WholeFile(path: "\(temporary)/picture.\(ending)")
      var bytes = withExtendedLifetime(picture) { Array(picture.bytes) }
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
    var process = pid_t()
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "\(folder)/script", O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "\(folder)/errors", O_WRONLY | O_CREAT, 0o600)
    var arguments: [UnsafeMutablePointer<CChar>?] = [strdup("gnuplot"), strdup("-d"), nil]
    defer { for argument in arguments { free(argument) } }
    let code = posix_spawnp(&process, "gnuplot", &actions, nil, &arguments, environment)
    guard code == 0 else {
      let isMissing = code == ENOENT || code == EACCES || code == ENOTDIR
      throw isMissing
        ? missing : MTLFastError(.system, "gnuplot can't be started: \(String(cString: strerror(code))).")
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else {
        throw MTLFastError(.system, "gnuplot can't be waited for: \(String(cString: strerror(errno))).")
      }
    }
    guard status != 0 else { return }
    // Some systems tell only the started process that there is no program.
    if status >> 8 & 255 == 127 { throw missing }
    let errors = (try? WholeFile(path: "\(folder)/errors")).map { String(decoding: $0.bytes, as: UTF8.self) } ?? ""
    let said = errors.split(whereSeparator: \.isNewline).last.map { ": \($0)" } ?? ""
    throw MTLFastError(.system, "gnuplot failed (status \(status))\(said). Version 5.2 or later is needed: gnuplot -V.")
  }

  private static let missing = MTLFastError(
    .missingInput,
    "gnuplot is not installed, and it draws the pictures. Run ./setup.sh, or apt-get install gnuplot-nox (on a Mac: brew install gnuplot)."
  )

  private static var environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    #if canImport(Darwin)
      _NSGetEnviron().pointee
    #else
      environ
    #endif
  }

  private static var temporaryFolder: String {
    guard let named = getenv("TMPDIR").map({ String(cString: $0) }), !named.isEmpty else { return "/tmp" }
    return Folder.withoutTrailingSlash(named)
  }

  private static func remove(_ folder: String) {
    for name in ["script", "errors", "picture.png", "picture.svg"] { unlink("\(folder)/\(name)") }
    rmdir(folder)
  }
}

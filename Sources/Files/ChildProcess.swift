// SPDX-License-Identifier: Apache-2.0
// Another program, started and waited for.

/// Programs found in `$PATH`, run to their end.
package enum ChildProcess {
  /// What became of it.
  package enum Outcome: Equatable {
    case done
    /// There is no such program.
    case missing
    /// Its status as wait(2) gives it.
    case failed(status: Int32)
  }

  /// Whether a program is in `$PATH`.
  package static func isInstalled(_ program: String) -> Bool {
    let path = getenv("PATH").map { String(cString: $0) } ?? "/usr/local/bin:/usr/bin:/bin"
    return path.split(separator: ":", omittingEmptySubsequences: false).contains { folder in
      FilePath.isExecutable("\(folder.isEmpty ? "." : folder)/\(program)")
    }
  }

  /// Runs a program; what it prints is dropped.
  ///
  /// - Parameters:
  ///   - input: the file that it reads as standard input.
  ///   - errors: the file that gets its standard error.
  /// - Throws: `MTLFastError` of kind `system` where it can't be started or waited for.
  package static func run(
    _ program: String, _ arguments: [String], input: String, errors: String
  ) throws -> Outcome {
    var process = pid_t()
    #if canImport(Darwin)
      var actions: posix_spawn_file_actions_t?
    #else
      var actions = posix_spawn_file_actions_t()
    #endif
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, input, O_RDONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
    posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors, O_WRONLY | O_CREAT, 0o600)
    var words: [UnsafeMutablePointer<CChar>?] = ([program] + arguments).map { strdup($0) } + [nil]
    defer { for word in words { free(word) } }
    let code = posix_spawnp(&process, program, &actions, nil, &words, environment)
    guard code == 0 else {
      if code == ENOENT || code == EACCES || code == ENOTDIR { return .missing }
      throw MTLFastError(.system, "\(program) can't be started: \(SystemError(code).reason).")
    }
    var status: Int32 = 0
    while waitpid(process, &status, 0) < 0 {
      guard errno == EINTR else {
        throw MTLFastError(.system, "\(program) can't be waited for: \(SystemError().reason).")
      }
    }
    if status == 0 { return .done }
    // Some systems tell only the started process that there is no program.
    return status >> 8 & 255 == 127 ? .missing : .failed(status: status)
  }

  private static var environment: UnsafeMutablePointer<UnsafeMutablePointer<CChar>?> {
    #if canImport(Darwin)
      _NSGetEnviron().pointee
    #else
      environ
    #endif
  }
}

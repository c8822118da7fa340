// SPDX-License-Identifier: Apache-2.0
// What the system says when it refuses, and what a user can do about it.

/// An `errno` with its text.
package struct SystemError: Error, Equatable {
  package let code: Int32

  /// - Parameter code: of the call that failed last unless another one is given.
  package init(_ code: Int32 = errno) { self.code = code }

  /// `No such file or directory`
  package var reason: String { String(cString: strerror(code)) }

  /// What may help where something can't be written.
  private var cure: String {
    switch code {
    case ENOSPC, EDQUOT: "Free some space, or name a folder on another disk."
    case EFBIG: "Raise the limit on the size of files (ulimit -f)."
    default: "Check the folder and its permissions, or name another one."
    }
  }

  /// An error of kind `writeFailed`: `runs/a: can't be created: Permission denied. Check the folder ...`
  package func writing(_ path: String, _ what: String = "can't be written") -> MTLFastError {
    MTLFastError(.writeFailed, "\(path): \(what): \(reason). \(cure)")
  }
}

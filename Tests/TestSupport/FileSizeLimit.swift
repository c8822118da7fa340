// SPDX-License-Identifier: Apache-2.0
// A limit on the size of files, for tests of writes that fail.

import Files
import Foundation

/// No file of this process grows beyond so many bytes from now on.
package func limitFileSize(to bytes: Int) throws {
  #if canImport(Glibc)
    let resource = __rlimit_resource_t(RLIMIT_FSIZE.rawValue)
  #else
    let resource = RLIMIT_FSIZE
  #endif
  var limit = rlimit()
  guard getrlimit(resource, &limit) == 0 else { throw POSIXError(.EINVAL) }
  limit.rlim_cur = rlim_t(bytes)
  guard setrlimit(resource, &limit) == 0 else { throw POSIXError(.EINVAL) }
}

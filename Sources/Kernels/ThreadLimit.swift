// SPDX-License-Identifier: Apache-2.0
// Whether the system would give a team of threads, where asking in earnest could end the program.

import Files

/// The OpenMP runtime ends the program where a thread can't be made, so a team larger than the machine is tried out here.
///
/// - Throws: `MTLFastError` of kind `usage` with the number of threads that could be made.
func requireThreads(_ count: Int) throws {
  let gate = UnsafeMutablePointer<pthread_mutex_t>.allocate(capacity: 1)
  defer { gate.deallocate() }
  guard pthread_mutex_init(gate, nil) == 0 else { return }
  defer { pthread_mutex_destroy(gate) }
  var threads: [pthread_t] = []
  pthread_mutex_lock(gate)
  for _ in 1..<max(2, count) {
    #if canImport(Glibc)
      var thread = pthread_t()
    #else
      var thread: pthread_t?
    #endif
    let result = pthread_create(
      &thread, nil,
      { argument in
        guard let gate = argument?.assumingMemoryBound(to: pthread_mutex_t.self) else { return nil }
        pthread_mutex_lock(gate)
        pthread_mutex_unlock(gate)
        return nil
      }, gate)
    guard result == 0 else { break }
    #if canImport(Glibc)
      threads.append(thread)
    #else
      if let thread { threads.append(thread) }
    #endif
  }
  pthread_mutex_unlock(gate)
  for thread in threads { pthread_join(thread, nil) }
  guard threads.count >= count - 1 else {
    throw MTLFastError(
      .usage, "threads is \(count) but this process can make \(threads.count + 1). Use fewer threads.")
  }
}

// SPDX-License-Identifier: Apache-2.0
// The same work for each of many files, on several threads.

import Dispatch
import Synchronization

/// Runs `body` once for each index, on up to `threads` threads at a time; each thread has one worker of its own.
///
/// Which thread takes which index is left to chance, so `body` may write only what belongs to its index.
func forEachIndex<Worker>(
  _ count: Int, threads: Int, worker makeWorker: () -> Worker, body: (Worker, Int) -> Void
) {
  let next = Atomic(0)
  withoutActuallyEscaping(makeWorker) { makeWorker in
    withoutActuallyEscaping(body) { body in
      nonisolated(unsafe) let makeWorker = makeWorker
      nonisolated(unsafe) let body = body
      DispatchQueue.concurrentPerform(iterations: max(1, min(threads, count))) { _ in
        let worker = makeWorker()
        while true {
          let index = next.add(1, ordering: .relaxed).oldValue
          guard index < count else { return }
          body(worker, index)
        }
      }
    }
  }
}

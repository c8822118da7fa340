// SPDX-License-Identifier: Apache-2.0
// The one thread that owns the kernels' team.

internal import CKernels
import Files

/// Runs plans, one at a time, on one dedicated thread.
///
/// Every thread that enters an OpenMP region gets a team of its own, so plans of all callers go through this thread.
/// Nothing is allocated to submit one.
final class TeamThread: @unchecked Sendable {
  static let shared = TeamThread()

  private struct Mailbox {
    var mutex = pthread_mutex_t()
    var submitted = pthread_cond_t()
    var finished = pthread_cond_t()
    var plan: UnsafePointer<mtlf_plan>?
    var stages: (Int32, Int32) = (0, 0)
    var step: UnsafeMutablePointer<mtlf_step>?
    var context: UnsafePointer<mtlf_context>?
    var isBusy = false
    var isDone = false
    var status = MTLF_OK
  }

  private let mailbox: UnsafeMutablePointer<Mailbox>
  private let isStarted: Bool

  private init() {
    mailbox = .allocate(capacity: 1)
    mailbox.initialize(to: Mailbox())
    pthread_mutex_init(&mailbox.pointee.mutex, nil)
    pthread_cond_init(&mailbox.pointee.submitted, nil)
    pthread_cond_init(&mailbox.pointee.finished, nil)
    #if canImport(Glibc)
      var thread = pthread_t()
    #else
      var thread: pthread_t?
    #endif
    // Signals belong to the program's own threads.
    var all = sigset_t()
    var before = sigset_t()
    sigfillset(&all)
    pthread_sigmask(SIG_SETMASK, &all, &before)
    let result = pthread_create(&thread, nil, { TeamThread.serve($0) }, mailbox)
    pthread_sigmask(SIG_SETMASK, &before, nil)
    isStarted = result == 0
  }

  /// Runs stages of one step of a plan and waits for them.
  func run(
    _ plan: UnsafePointer<mtlf_plan>, _ firstStage: Int32, _ endStage: Int32, _ step: UnsafeMutablePointer<mtlf_step>,
    _ context: UnsafePointer<mtlf_context>
  ) -> mtlf_status {
    guard isStarted else { return mtlf_plan_run(plan, firstStage, endStage, step, context) }
    pthread_mutex_lock(&mailbox.pointee.mutex)
    while mailbox.pointee.isBusy { pthread_cond_wait(&mailbox.pointee.finished, &mailbox.pointee.mutex) }
    mailbox.pointee.isBusy = true
    mailbox.pointee.isDone = false
    mailbox.pointee.plan = plan
    mailbox.pointee.stages = (firstStage, endStage)
    mailbox.pointee.step = step
    mailbox.pointee.context = context
    pthread_cond_signal(&mailbox.pointee.submitted)
    while !mailbox.pointee.isDone { pthread_cond_wait(&mailbox.pointee.finished, &mailbox.pointee.mutex) }
    let status = mailbox.pointee.status
    mailbox.pointee.isBusy = false
    pthread_cond_broadcast(&mailbox.pointee.finished)
    pthread_mutex_unlock(&mailbox.pointee.mutex)
    return status
  }

  private static func serve(_ argument: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let mailbox = argument?.assumingMemoryBound(to: Mailbox.self) else { return nil }
    pthread_mutex_lock(&mailbox.pointee.mutex)
    while true {
      while mailbox.pointee.plan == nil { pthread_cond_wait(&mailbox.pointee.submitted, &mailbox.pointee.mutex) }
      let (plan, step, context) = (mailbox.pointee.plan, mailbox.pointee.step, mailbox.pointee.context)
      let (first, end) = mailbox.pointee.stages
      pthread_mutex_unlock(&mailbox.pointee.mutex)
      let status = mtlf_plan_run(plan, first, end, step, context)
      pthread_mutex_lock(&mailbox.pointee.mutex)
      mailbox.pointee.status = status
      mailbox.pointee.plan = nil
      mailbox.pointee.isDone = true
      pthread_cond_broadcast(&mailbox.pointee.finished)
    }
  }
}

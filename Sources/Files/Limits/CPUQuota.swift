// SPDX-License-Identifier: Apache-2.0
// How many CPUs' worth of time the container gives this process.

/// The control group's CPU quota in whole CPUs, rounded up; nil where there is none.
///
/// A container with two CPUs of time on a machine of 64 sees 64 of them: a team that large would wait at every barrier.
package func cpuQuota() -> Int? {
  // Version 2 holds "quota period" or "max period" in one file, version 1 each in one of its own.
  if let words = firstLine(of: "/sys/fs/cgroup/cpu.max")?.split(separator: " "), words.count == 2 {
    return wholeCPUs(quota: words[0], period: words[1])
  }
  guard let quota = firstLine(of: "/sys/fs/cgroup/cpu/cpu.cfs_quota_us"),
    let period = firstLine(of: "/sys/fs/cgroup/cpu/cpu.cfs_period_us")
  else { return nil }
  return wholeCPUs(quota: quota[...], period: period[...])
}

/// nil where the quota is `max`, -1 or anything else that is no limit.
package func wholeCPUs(quota: Substring, period: Substring) -> Int? {
  guard let quota = Int(quota), let period = Int(period), quota > 0, period > 0 else { return nil }
  return max(1, quota / period + (quota % period == 0 ? 0 : 1))
}

/// Files of the kernel say a size that isn't theirs, so this one is read until it ends.
private func firstLine(of path: String) -> String? {
  guard let file = try? OpenFile(path: path) else { return nil }
  var bytes = [UInt8](repeating: 0, count: 64)
  guard let count = try? bytes.withUnsafeMutableBytes({ try file.readNext(into: $0) }), count > 0 else { return nil }
  return String(decoding: bytes.prefix(count).prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self)
}

// SPDX-License-Identifier: Apache-2.0
// How many CPUs' worth of time the container gives this process.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Darwin)
  import Darwin
#endif

/// The control group's CPU quota in whole CPUs, rounded up; nil where there is none.
///
/// A container with two CPUs of time on a machine of 64 sees 64 of them: a team that large would wait at every barrier.
func cpuQuota() -> Int? {
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

private func firstLine(of path: String) -> String? {
  guard let file = fopen(path, "r") else { return nil }
  defer { fclose(file) }
  var bytes = [CChar](repeating: 0, count: 64)
  guard fgets(&bytes, Int32(bytes.count), file) != nil else { return nil }
  return String(decoding: bytes.prefix { $0 != 0 && $0 != 10 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
}

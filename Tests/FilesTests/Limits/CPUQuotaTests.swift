// SPDX-License-Identifier: Apache-2.0
// What a container's quota means in CPUs.

import Files
import Testing

@Suite struct CPUQuotaTests {
  @Test func aQuotaBecomesWholeCPUs() {
    #expect(wholeCPUs(quota: "200000", period: "100000") == 2)
    #expect(wholeCPUs(quota: "150000", period: "100000") == 2)
    #expect(wholeCPUs(quota: "5000", period: "100000") == 1)
    #expect(wholeCPUs(quota: "max", period: "100000") == nil)
    #expect(wholeCPUs(quota: "-1", period: "100000") == nil)
  }
}

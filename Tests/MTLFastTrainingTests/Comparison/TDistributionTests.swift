// SPDX-License-Identifier: Apache-2.0
// Student's t distribution against values of tables and of another implementation.

import Foundation
import MTLFastTraining
import Testing

@Suite struct TDistributionTests {
  private func expect(_ value: Double, near expected: Double, within error: Double = 1e-11) {
    #expect(abs(value - expected) <= error * abs(expected), "\(value), \(expected)")
  }

  @Test(arguments: [
    (1, 12.706204736174694), (2, 4.302652729749464), (4, 2.7764451051977934), (9, 2.262157162798205),
    (30, 2.0422724563012378), (99, 1.9842169515864174),
  ])
  func upperQuantiles(degrees: Int, value: Double) {
    expect(TDistribution(degreesOfFreedom: degrees).quantile(0.975), near: value)
    expect(TDistribution(degreesOfFreedom: degrees).quantile(0.025), near: -value)
  }

  @Test(arguments: [
    (1, 0.6, 0.32491969623290634), (2, 0.6, 0.2886751345948128), (4, 0.01, -3.746947387979197),
    (30, 0.6, 0.2556053649519128), (99, 0.01, -2.364605861786943),
  ])
  func otherQuantiles(degrees: Int, probability: Double, value: Double) {
    expect(TDistribution(degreesOfFreedom: degrees).quantile(probability), near: value)
  }

  @Test(arguments: [
    (1, 0.3, 0.8144528418445154), (2, -1.7, 0.23123342620157122), (4, 2.5, 0.06676654481198814),
    (9, 12, 7.699886222985653e-07), (30, 0.01, 0.9920874925731777), (99, 3.3, 0.001344764746399179),
  ])
  func probabilities(degrees: Int, t: Double, tails: Double) {
    expect(TDistribution(degreesOfFreedom: degrees).twoSidedTail(t), near: tails)
  }

  /// With 1 degree of freedom it is Cauchy's, with 2 there is a root.
  @Test(arguments: [-50, -1, 1e-9, 0.5, 3, 1e6] as [Double]) func closedForms(t: Double) {
    // 1 - 2 atan(|t|) / pi and 1 - |t| / root without their cancellation for t far from 0.
    let one = 2 * atan2(1, t.magnitude) / .pi
    expect(TDistribution(degreesOfFreedom: 1).twoSidedTail(t), near: one, within: 1e-10)
    let root = (2 + t * t).squareRoot()
    let two = 2 / (root * (root + t.magnitude))
    expect(TDistribution(degreesOfFreedom: 2).twoSidedTail(t), near: two, within: 1e-10)
  }

  @Test func ends() {
    let distribution = TDistribution(degreesOfFreedom: 3)
    #expect(distribution.quantile(0.5) == 0 && distribution.quantile(0) == -.infinity)
    #expect(distribution.quantile(1) == .infinity && distribution.quantile(1.5).isNaN)
    #expect(distribution.twoSidedTail(0) == 1)
    #expect(distribution.twoSidedTail(.infinity) == 0 && distribution.twoSidedTail(1e200) == 0)
    #expect(distribution.twoSidedTail(.nan).isNaN)
  }
}

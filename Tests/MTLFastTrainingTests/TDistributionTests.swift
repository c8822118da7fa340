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
    (1, 0.3, 0.5927735790777423, 0.8144528418445154), (2, -1.7, 0.11561671310078561, 0.23123342620157122),
    (4, 2.5, 0.966616727594006, 0.06676654481198814), (9, 12, 0.9999996150056889, 7.699886222985653e-07),
    (30, 0.01, 0.5039562537134111, 0.9920874925731777), (99, 3.3, 0.9993276176268004, 0.001344764746399179),
  ])
  func probabilities(degrees: Int, t: Double, below: Double, tails: Double) {
    expect(TDistribution(degreesOfFreedom: degrees).cumulative(t), near: below)
    expect(TDistribution(degreesOfFreedom: degrees).twoSidedTail(t), near: tails)
  }

  /// With 1 degree of freedom it is Cauchy's, with 2 there is a root.
  @Test(arguments: [-50, -1, 1e-9, 0.5, 3, 1e6] as [Double]) func closedForms(t: Double) {
    expect(TDistribution(degreesOfFreedom: 1).cumulative(t), near: 0.5 + atan(t) / .pi, within: 1e-10)
    let root = (2 + t * t).squareRoot()
    // 1/2 + t / (2 root) without its cancellation for t far below 0.
    let two = t < 0 ? 1 / (root * (root - t)) : 0.5 + t / (2 * root)
    expect(TDistribution(degreesOfFreedom: 2).cumulative(t), near: two, within: 1e-10)
  }

  @Test func ends() {
    let distribution = TDistribution(degreesOfFreedom: 3)
    #expect(distribution.quantile(0.5) == 0 && distribution.quantile(0) == -.infinity)
    #expect(distribution.quantile(1) == .infinity && distribution.quantile(1.5).isNaN)
    #expect(distribution.twoSidedTail(0) == 1 && distribution.cumulative(0) == 0.5)
    #expect(distribution.twoSidedTail(.infinity) == 0 && distribution.twoSidedTail(1e200) == 0)
    #expect(distribution.twoSidedTail(.nan).isNaN)
  }
}

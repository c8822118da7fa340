// SPDX-License-Identifier: Apache-2.0
// Every metric against values computed by hand.

import MTLFast
import Testing

@testable import MTLFastTraining

@Suite struct TaskSumTests {
  private func head(_ task: Head.Task, _ metrics: [Metric], hierarchy: ClassHierarchy? = nil) -> Head {
    Head(name: "task", logits: 0, task: task, hierarchy: hierarchy, metrics: metrics)
  }

  private func expect(
    _ sum: TaskSum, of head: Head, _ values: [Double?], sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let found = sum.score(of: head).metrics.map(\.value)
    #expect(found.count == values.count, sourceLocation: sourceLocation)
    for (index, (found, expected)) in zip(found, values).enumerated() {
      let metric = head.metrics[index].name
      guard let found, let expected else {
        #expect(found == expected, "\(metric)", sourceLocation: sourceLocation)
        continue
      }
      #expect(abs(found - expected) <= 1e-12, "\(metric) is \(found), not \(expected)", sourceLocation: sourceLocation)
    }
  }

  private let animals = Head.Task.classification(classNames: ["cat", "dog", "cow", "hen"])

  /// Ten labels: four cats of which one is right, six dogs of which four are, no cow and no hen.
  @Test func classes() {
    let sum = TaskSum(
      loss: 6, weight: 8, present: 10, counts: [5, 3, 1, 1] + [4, 6, 0, 0] + [1, 4, 0, 0])
    let classes = head(animals, [.accuracy, .topK(2), .topK(3), .balancedAccuracy])
    expect(sum, of: classes, [0.5, 0.8, 0.9, (1.0 / 4 + 4.0 / 6) / 2])
    #expect(sum.score(of: classes).loss == 0.75)
    #expect(sum.score(of: classes).present == 10)
    #expect(sum.score(of: classes).confusion == nil)
  }

  /// Of twelve samples, labelled or not, nine have the predicted class's parent predicted.
  @Test func consistency() {
    let parents = head(
      animals, [.accuracy, .consistency], hierarchy: ClassHierarchy(parent: "kind", parents: [0, 0, 0, 1]))
    let labels = [1, 1, 0, 0] + [2, 0, 0, 0] + [1, 0, 0, 0]
    expect(TaskSum(weight: 2, present: 2, counts: labels + [12, 9]), of: parents, [0.5, 0.75])
    expect(TaskSum(counts: [Int](repeating: 0, count: 12) + [4, 0]), of: parents, [nil, 0])
  }

  /// True sky 8 pixels, true road 4, no car: it is in no mean unless it is predicted.
  @Test func classesOfPixels() {
    let scene = head(
      .segmentation(classNames: ["sky", "road", "car"]), [.pixelAccuracy, .intersectionOverUnion, .dice])
    let absent = TaskSum(weight: 1, present: 1, counts: [6, 2, 0, 1, 3, 0, 0, 0, 0])
    expect(absent, of: scene, [9.0 / 12, (6.0 / 9 + 3.0 / 6) / 2, (12.0 / 15 + 6.0 / 9) / 2])
    #expect(absent.score(of: scene).confusion == [[6, 2, 0], [1, 3, 0], [0, 0, 0]])
    let predicted = TaskSum(weight: 1, present: 1, counts: [6, 0, 2, 1, 3, 0, 0, 0, 0])
    expect(predicted, of: scene, [9.0 / 12, (6.0 / 9 + 3.0 / 4 + 0) / 3, (12.0 / 15 + 6.0 / 7 + 0) / 3])
  }

  /// 16 pixels a mask: true negatives, false positives, false negatives, true positives; the second mask is empty.
  @Test func masks() {
    let out = head(.masks(names: ["road", "car"]), [.intersectionOverUnion, .dice, .pixelAccuracy])
    let sum = TaskSum(weight: 1, present: 1, counts: [5, 1, 2, 8] + [16, 0, 0, 0])
    expect(sum, of: out, [8.0 / 11, 16.0 / 19, 29.0 / 32])
    expect(
      TaskSum(weight: 1, present: 1, counts: [16, 0, 0, 0] + [13, 3, 0, 0]), of: out, [0, 0, 29.0 / 32])
    expect(TaskSum(weight: 1, present: 1, counts: [16, 0, 0, 0] + [16, 0, 0, 0]), of: out, [nil, nil, 1])
    #expect(sum.score(of: out).confusion == nil)
  }

  /// Prices 11, 13 and 9 predicted as 12, 11 and 9, with mean 10 and deviation 2: in the node's unit the prices are 0.5,
  /// 1.5 and -0.5 and the errors 0.5, -1 and 0.
  @Test func numbers() {
    let price = RegressionTarget("price", mean: 10, standardDeviation: 2)
    let metrics: [Metric] = [.meanAbsoluteError, .rootMeanSquaredError, .r2]
    let sums = [3, 1.5, 1.25, 1.5, 2.75]
    let one = head(.regression([price]), metrics)
    expect(TaskSum(weight: 3, present: 3, sums: sums), of: one, [1, (5.0 / 3).squareRoot(), 1 - 5.0 / 8])
    // Two times the same size, 4, predicted as 3 and 5: it has no deviation that could be explained.
    let both = head(.regression([price, RegressionTarget("size")]), metrics)
    expect(
      TaskSum(weight: 3, present: 3, sums: sums + [2, 2, 2, 8, 32]), of: both,
      [1, ((5.0 / 3).squareRoot() + 1) / 2, nil])
  }

  @Test func nothingPresentIsNoValue() {
    let tasks: [Head.Task] = [
      animals, .segmentation(classNames: ["a", "b"]), .masks(names: ["a"]), .regression([RegressionTarget("a")]),
    ]
    for task in tasks {
      let head = Head(name: "task", logits: 0, task: task)
      let sum = TaskSum(of: head)
      expect(sum, of: head, head.metrics.map { _ in nil })
      #expect(sum.score(of: head).loss == nil && sum.score(of: head).present == 0)
    }
  }

  @Test func sumsOfPartsAreTheSumOfTheWhole() {
    var sum = TaskSum(loss: 1, weight: 2, present: 3, counts: [1, 2], sums: [0.5])
    sum += TaskSum(loss: 0.25, weight: 1, present: 1, counts: [3, 4], sums: [1])
    #expect(sum == TaskSum(loss: 1.25, weight: 3, present: 4, counts: [4, 6], sums: [1.5]))
    sum.reset()
    #expect(sum == TaskSum(counts: [0, 0], sums: [0]))
  }
}

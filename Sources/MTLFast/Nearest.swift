// SPDX-License-Identifier: Apache-2.0
// "Did you mean": the known name that is closest to what was written.

/// One sentence pair for a name that isn't known: `unknown key 'fliters' in conv2d. Known keys: ... Did you mean 'filters'?`
package func unknownName(_ what: String, _ name: String, in place: String, known: [String]) -> String {
  var text = "unknown \(what) '\(name)'"
  if !place.isEmpty { text += " in \(place)" }
  text += known.isEmpty ? ". There are none here." : ". Known \(what)s: \(known.sorted().joined(separator: ", "))."
  if let near = nearest(to: name, among: known) { text += " Did you mean '\(near)'?" }
  return text
}

/// The candidate with the smallest edit distance, where it is near: at most a third of the letters differ.
///
///     nearest(to: "fliters", among: ["filters", "kernel"])  // "filters"
///     nearest(to: "zebra", among: ["filters", "kernel"])    // nil
///
/// Of equals the alphabetically first. O(letters^2) for each candidate; names longer than 64 letters are never near.
package func nearest(to name: String, among candidates: [String]) -> String? {
  guard name.count <= 64 else { return nil }
  var best: (name: String, distance: Int)?
  for candidate in candidates.sorted() {
    let distance = editDistance(Array(name.lowercased()), Array(candidate.lowercased()))
    guard distance <= max(1, max(name.count, candidate.count) / 3), distance < candidate.count else { continue }
    if distance < best?.distance ?? .max { best = (candidate, distance) }
  }
  return best?.name
}

/// Insertions, deletions, replacements and swaps of neighbours that turn one text into the other
/// (optimal string alignment).
private func editDistance(_ a: [Character], _ b: [Character]) -> Int {
  var previous: [Int] = []
  var row = Array(0...b.count)
  for i in a.indices {
    let before = previous
    previous = row
    row[0] = i + 1
    for j in b.indices {
      row[j + 1] = min(row[j] + 1, previous[j + 1] + 1, previous[j] + (a[i] == b[j] ? 0 : 1))
      if i > 0, j > 0, a[i] == b[j - 1], a[i - 1] == b[j] { row[j + 1] = min(row[j + 1], before[j - 1] + 1) }
    }
  }
  return row[b.count]
}

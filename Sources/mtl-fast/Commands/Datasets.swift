// SPDX-License-Identifier: Apache-2.0
// `mtl-fast datasets`: what is known, whether it is here and whole, and how to get it.

import ArgumentParser
import MTLFast
import MTLFastData
import MTLFastTraining

struct Datasets: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "List, show, check or fetch data sets.",
    discussion: """
      Examples:
        mtl-fast datasets list
        mtl-fast datasets fetch fashion-mnist
        mtl-fast datasets check fashion-mnist --data ~/fashion
      """,
    subcommands: [List.self, Show.self, Check.self, Fetch.self], defaultSubcommand: List.self)

  struct List: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the known data sets and where they were found.")
    @OptionGroup var data: DataOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
      let search = data.search
      let found = DatasetCatalog.all.map { ($0, try? search.locate($0)) }
      var table = TextTable([("data set", .left), ("training", .right), ("test", .right), ("found in", .left)])
      for (dataset, located) in found {
        table.add([
          dataset.name, grouped(dataset.sampleCount(of: .training)), grouped(dataset.sampleCount(of: .test)),
          located?.folder ?? "not found: mtl-fast datasets fetch \(dataset.name)",
        ])
      }
      let values = found.map { dataset, located -> JSONValue in
        .object([
          "name": .string(dataset.name), "title": .string(dataset.title),
          "folder": located.map { .string($0.folder) } ?? .null,
        ])
      }
      try output.print(table.text, json: .object(["datasets": .array(values)]))
    }
  }

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show what a data set holds and where it comes from.")
    @Argument(help: "A name that 'datasets list' knows.") var name: String

    func run() throws {
      let dataset = try DatasetCatalog.dataset(named: name)
      var lines = [
        "\(dataset.title): \(dataset.summary)", "", "source   \(dataset.source)", "home     \(dataset.homepage)",
        "licence  \(dataset.licence)", "input    \(dataset.inputColumn), \(dataset.inputShape)",
      ]
      for labels in dataset.labels {
        lines.append("labels   \(labels.column), \(labels.classNames.count) classes:")
        lines += labels.classNames.enumerated().map { "           \($0)  \($1)" }
      }
      lines.append("files")
      lines += dataset.files.map { "  \($0.name)  \($0.content), \(byteCount($0.downloadBytes))" }
      try Console.result(lines.joined(separator: "\n"))
    }
  }

  struct Check: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Compare a data set's files with the published ones.",
      discussion:
        "Reads every file to its end and compares the published hash, where there is one, and the size. Exit code 65 where one differs."
    )
    @Argument(help: "A name that 'datasets list' knows.") var name = "fashion-mnist"
    @OptionGroup var data: DataOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
      let check = try data.search.locate(try DatasetCatalog.dataset(named: name)).check()
      var table = TextTable([("file", .left), ("samples", .right), ("state", .left)])
      for file in check.files {
        table.add([
          file.published.name, file.sampleCount.map(grouped) ?? "-", file.state,
        ])
      }
      let files = check.files.map { file -> JSONValue in
        .object([
          "name": .string(file.published.name), "path": file.path.map { .string($0) } ?? .null,
          "state": .string(file.state), "sha256": file.sha256.map { .string($0) } ?? .null,
          "problem": file.problem.map { .string(RemedyText.text($0, file.remedy)) } ?? .null,
        ])
      }
      try output.print(
        "\(check.folder)\n\n\(table.text)",
        json: .object([
          "name": .string(check.dataset.name), "folder": .string(check.folder), "good": .bool(check.isGood),
          "files": .array(files),
        ]))
      guard let bad = check.files.first(where: { $0.problem != nil }), let problem = bad.problem else { return }
      throw MTLFastError(.badData, problem, remedy: bad.remedy)
    }
  }

  struct Fetch: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Download a data set from its official address.",
      discussion: """
        A download that broke off goes on where it stopped. A file takes its name only after its hash was verified.

        Examples:
          mtl-fast datasets fetch fashion-mnist
          mtl-fast datasets fetch fashion-mnist --data ~/fashion --mirror http://localhost:8000/
        """)
    @Argument(help: "A name that 'datasets list' knows.") var name: String
    @Option(
      name: .customLong("data"),
      help: ArgumentHelp("Where to put the files. Without it: your cache folder.", valueName: "dir"))
    var folder: String?
    @Option(help: ArgumentHelp("Another address that has the same files.", valueName: "url")) var mirror: String?
    @OptionGroup var progress: ProgressOptions

    func run() throws {
      let dataset = try DatasetCatalog.dataset(named: name)
      let folder = try folder ?? DatasetSearch().cacheFolder(for: dataset)
      let stop = StopRequest()
      let signals = Signals { stop.request() }
      let shown = DownloadProgress(isShown: !progress.quiet)
      let outcome: FetchOutcome
      do {
        defer { shown.end() }
        outcome = try dataset.fetch(into: folder, mirror: mirror) { file in
          shown.show(file)
          return !stop.isRequested
        }
      }
      switch outcome {
      case .finished(let located, let fetched):
        try Console.result(
          fetched.isEmpty
            ? "\(dataset.name) is in \(located.folder) already, as published."
            : "\(dataset.name) is in \(located.folder): \(fetched.count) files fetched and verified.")
      case .stopped(let file, let bytes):
        Console.note("Stopped in \(file) after \(byteCount(bytes)). The same command goes on from there.")
        throw ExitCode(signals.exitStatus ?? ExitStatus.other)
      }
    }
  }
}

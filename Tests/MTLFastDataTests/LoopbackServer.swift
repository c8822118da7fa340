// SPDX-License-Identifier: Apache-2.0
// A small HTTP server on 127.0.0.1 for the download tests: serves ranges, ignores them, breaks off, stalls, refuses.

import Foundation
import Synchronization

/// Answers one connection after the other on a thread of its own, until it is released.
final class LoopbackServer: Sendable {
  enum Behaviour: Sendable {
    /// Serves the body or the range of it that is asked for.
    case servesRanges
    /// Answers 200 with the whole body whatever range is asked for.
    case ignoresRanges
    /// As `servesRanges`, but the connection ends after so many bytes of the body, though the header promises all.
    case breaksOff(after: Int)
    /// As `servesRanges`, but nothing follows after so many bytes of the body.
    case stalls(after: Int)
    /// Answers 206 with the body from its start, whatever range is asked for.
    case servesWrongRange
    /// Answers with that status and a short page.
    case refuses(status: Int)
    /// Answers 302 to another path of this server.
    case redirects(to: String)
  }

  struct Request: Equatable, Sendable {
    let path: String
    /// The first byte of the Range header.
    let rangeStart: Int?
    /// Bytes of the body that were sent.
    var servedBytes = 0
  }

  private struct State {
    var routes: [String: (body: [UInt8], behaviour: Behaviour)] = [:]
    var requests: [Request] = []
  }

  let port: UInt16
  private let state = Mutex(State())

  init() throws {
    let listener = Self.makeSocket()
    var address = Self.address(port: 0)
    var length = socklen_t(MemoryLayout<sockaddr_in>.size)
    let bound = withUnsafeMutablePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        bind(listener, $0, length) == 0 && listen(listener, 8) == 0 && getsockname(listener, $0, &length) == 0
      }
    }
    guard listener >= 0, bound else { throw POSIXError(.EADDRNOTAVAIL) }
    port = UInt16(bigEndian: address.sin_port)
    Thread.detachNewThread { [weak self] in
      while true {
        let connection = accept(listener, nil, nil)
        guard connection >= 0 || errno == EINTR else { break }
        guard let server = self else {
          close(connection)
          break
        }
        if connection >= 0 {
          server.answer(connection)
          close(connection)
        }
      }
      // Here and not at the release: the number may belong to another server's listener a moment later.
      close(listener)
    }
  }

  /// A last connection tells the thread to end.
  deinit {
    let connection = Self.makeSocket()
    var address = Self.address(port: port)
    _ = withUnsafePointer(to: &address) {
      $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
      }
    }
    close(connection)
  }

  private static func makeSocket() -> Int32 {
    #if canImport(Glibc)
      socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    #else
      socket(AF_INET, SOCK_STREAM, 0)
    #endif
  }

  /// - Parameter port: 0 for any that is free.
  private static func address(port: UInt16) -> sockaddr_in {
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7f00_0001).bigEndian
    address.sin_port = port.bigEndian
    return address
  }

  var url: String { "http://127.0.0.1:\(port)/" }
  var requests: [Request] { state.withLock { $0.requests } }

  func serve(_ body: [UInt8], at path: String, _ behaviour: Behaviour = .servesRanges) {
    state.withLock { $0.routes["/" + path] = (body, behaviour) }
  }

  private func answer(_ connection: Int32) {
    guard let head = readHead(from: connection) else { return }
    let lines = head.components(separatedBy: "\r\n")
    let path = lines[0].components(separatedBy: " ").dropFirst().first ?? ""
    let rangeStart = lines.first { $0.lowercased().hasPrefix("range: bytes=") }
      .flatMap { Int($0.dropFirst("range: bytes=".count).prefix { $0 != "-" }) }
    let (route, index) = state.withLock { state in
      state.requests.append(Request(path: path, rangeStart: rangeStart))
      return (state.routes[path], state.requests.count - 1)
    }
    let (body, behaviour) = route ?? ([], .refuses(status: 404))
    var sent = 0
    switch behaviour {
    case .refuses(let status):
      send("HTTP/1.1 \(status) No\r\nContent-Length: 14\r\nConnection: close\r\n\r\n<html>no\n</h>\n", to: connection)
    case .redirects(let target):
      send(
        "HTTP/1.1 302 Found\r\nLocation: /\(target)\r\nContent-Length: 5\r\nConnection: close\r\n\r\nthere",
        to: connection)
    case .ignoresRanges:
      sent = send(body, from: 0, status: "200 OK", to: connection)
    case .servesWrongRange:
      let range = "206 Partial Content\r\nContent-Range: bytes 0-\(body.count - 1)/\(body.count)"
      sent = send(body, from: 0, status: rangeStart == nil ? "200 OK" : range, to: connection)
    case .servesRanges: sent = sendRange(of: body, from: rangeStart, to: connection)
    case .breaksOff(let count): sent = sendRange(of: body, from: rangeStart, limit: count, to: connection)
    case .stalls(let count):
      sent = sendRange(of: body, from: rangeStart, limit: count, to: connection)
      var byte: UInt8 = 0
      // Until the client gives up.
      while recv(connection, &byte, 1, 0) > 0 {}
    }
    state.withLock { $0.requests[index].servedBytes = sent }
  }

  private func readHead(from connection: Int32) -> String? {
    var bytes: [UInt8] = []
    var chunk = [UInt8](repeating: 0, count: 4096)
    while true {
      let count = recv(connection, &chunk, chunk.count, 0)
      guard count > 0 else { return nil }
      bytes += chunk[..<count]
      let text = String(decoding: bytes, as: UTF8.self)
      if text.hasSuffix("\r\n\r\n") { return text }
    }
  }

  private func sendRange(of body: [UInt8], from start: Int?, limit: Int = .max, to connection: Int32) -> Int {
    guard let start else { return send(body, from: 0, status: "200 OK", limit: limit, to: connection) }
    guard start < body.count else {
      send(
        "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Range: bytes */\(body.count)\r\nContent-Length: 9\r\n"
          + "Connection: close\r\n\r\nnot here\n", to: connection)
      return 0
    }
    let range = "206 Partial Content\r\nContent-Range: bytes \(start)-\(body.count - 1)/\(body.count)"
    return send(body, from: start, status: range, limit: limit, to: connection)
  }

  /// Returns the number of bytes of the body that were sent.
  private func send(_ body: [UInt8], from start: Int, status: String, limit: Int = .max, to connection: Int32) -> Int {
    send(
      "HTTP/1.1 \(status)\r\nContent-Length: \(body.count - start)\r\nConnection: close\r\n\r\n", to: connection)
    return send(body[start...].prefix(limit), to: connection)
  }

  private func send(_ text: String, to connection: Int32) { _ = send(ArraySlice(text.utf8), to: connection) }

  private func send(_ bytes: ArraySlice<UInt8>, to connection: Int32) -> Int {
    #if canImport(Darwin)
      var on: Int32 = 1
      setsockopt(connection, SOL_SOCKET, SO_NOSIGPIPE, &on, socklen_t(MemoryLayout<Int32>.size))
      let flags: Int32 = 0
    #else
      let flags = Int32(MSG_NOSIGNAL)
    #endif
    return bytes.withUnsafeBytes { buffer in
      var sent = 0
      while sent < buffer.count {
        let count = Foundation.send(connection, buffer.baseAddress?.advanced(by: sent), buffer.count - sent, flags)
        if count <= 0 { break }
        sent += count
      }
      return sent
    }
  }
}

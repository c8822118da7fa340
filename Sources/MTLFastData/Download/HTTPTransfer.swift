// SPDX-License-Identifier: Apache-2.0
// One HTTP request by libcurl whose body goes to the end of a .part file.

import CCurl
import Files
import MTLFast

/// One GET request that appends to a `PartialFile`, asking for the bytes from its end onwards.
///
/// Blocks the calling thread. libcurl is initialised by the first request, not when the program starts.
final class HTTPTransfer {
  enum Outcome {
    /// The file holds everything that the server has; resumed where earlier bytes are a part of it.
    case complete(resumed: Bool)
    /// The server has nothing from that byte onwards, or other bytes than asked for: only a new start can help.
    case rangeRefused
    /// `progress` returned false.
    case stopped
  }

  private let url: String
  private let file: PartialFile
  /// More than this can't be the file; a server that never ends must not fill the disk.
  private let limitBytes: Int
  private let stallSeconds: Int
  private let progress: (_ receivedBytes: Int, _ totalBytes: Int?) -> Bool

  private var handle: UnsafeMutableRawPointer?
  /// The byte that the request starts from.
  private var offset = 0
  /// From the Content-Range header of the last response.
  private var rangeStart: Int?
  /// How the body is dealt with, known from its first byte on.
  private var reception: Reception?
  private var failure: MTLFastError?

  private enum Reception {
    /// `base` bytes were there before.
    case append(base: Int)
    case rangeRefused
    case refuse(status: Int)
  }

  init(
    url: String, file: PartialFile, limitBytes: Int, stallSeconds: Int,
    progress: @escaping (_ receivedBytes: Int, _ totalBytes: Int?) -> Bool
  ) {
    self.url = url
    self.file = file
    self.limitBytes = limitBytes
    self.stallSeconds = stallSeconds
    self.progress = progress
  }

  /// - Throws: `MTLFastError` of kind `missingInput` where the server can't be reached, breaks off or answers with an
  ///   error, `badData` where it sends too much, `writeFailed` where the file can't be written.
  func run() throws -> Outcome {
    guard Self.initialisation == CURLE_OK, let handle = curl_easy_init() else {
      throw MTLFastError(.system, "\(url): libcurl can't be started. Memory may be short.")
    }
    defer { curl_easy_cleanup(handle) }
    self.handle = handle
    offset = file.size
    var errorText = [CChar](repeating: 0, count: Int(CURL_ERROR_SIZE))
    let status = errorText.withUnsafeMutableBufferPointer { text in
      configure(handle, errorText: text.baseAddress)
      let status = curl_easy_perform(handle)
      mtlf_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, nil)
      return status
    }
    if let failure { throw failure }
    if status == CURLE_ABORTED_BY_CALLBACK { return .stopped }
    // A response without a body never reached `receive`.
    if reception == nil, status == CURLE_OK { decideReception() }
    if let failure { throw failure }
    switch reception {
    case .rangeRefused: return .rangeRefused
    case .refuse(let code): throw refusal(code)
    case .append(let base) where status == CURLE_OK: return .complete(resumed: base > 0)
    case .append, nil: throw interruption(status, text: Self.string(errorText))
    }
  }

  private static let initialisation = curl_global_init(Int(CURL_GLOBAL_DEFAULT))

  private func configure(_ handle: UnsafeMutableRawPointer, errorText: UnsafeMutablePointer<CChar>?) {
    let context = Unmanaged.passUnretained(self).toOpaque()
    mtlf_curl_set_pointer(handle, CURLOPT_ERRORBUFFER, errorText)
    mtlf_curl_set_string(handle, CURLOPT_URL, url)
    mtlf_curl_set_string(handle, CURLOPT_USERAGENT, "mtl-fast")
    mtlf_curl_allow_http_only(handle)
    mtlf_curl_set_long(handle, CURLOPT_FOLLOWLOCATION, 1)
    mtlf_curl_set_long(handle, CURLOPT_MAXREDIRS, 10)
    mtlf_curl_set_long(handle, CURLOPT_NOSIGNAL, 1)
    mtlf_curl_set_long(handle, CURLOPT_CONNECTTIMEOUT, stallSeconds)
    mtlf_curl_set_long(handle, CURLOPT_LOW_SPEED_LIMIT, 1)
    mtlf_curl_set_long(handle, CURLOPT_LOW_SPEED_TIME, stallSeconds)
    // CURLOPT_RANGE and not CURLOPT_RESUME_FROM, which treats an answer of 200 as an error.
    if offset > 0 { mtlf_curl_set_string(handle, CURLOPT_RANGE, "\(offset)-") }
    mtlf_curl_set_pointer(handle, CURLOPT_HEADERDATA, context)
    mtlf_curl_set_write_function(handle, CURLOPT_HEADERFUNCTION) { bytes, size, count, context in
      guard let context, let bytes else { return 0 }
      let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
      transfer.readHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
      return size * count
    }
    mtlf_curl_set_pointer(handle, CURLOPT_WRITEDATA, context)
    mtlf_curl_set_write_function(handle, CURLOPT_WRITEFUNCTION) { bytes, size, count, context in
      guard let context, let bytes else { return 0 }
      let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
      // Any other number than the one handed over ends the transfer.
      return transfer.receive(UnsafeRawBufferPointer(start: bytes, count: size * count)) ? size * count : 0
    }
    mtlf_curl_set_long(handle, CURLOPT_NOPROGRESS, 0)
    mtlf_curl_set_pointer(handle, CURLOPT_XFERINFODATA, context)
    mtlf_curl_set_progress_function(handle) { context, total, _, _, _ in
      guard let context else { return 1 }
      let transfer = Unmanaged<HTTPTransfer>.fromOpaque(context).takeUnretainedValue()
      return transfer.report(bodyBytes: Int(total)) ? 0 : 1
    }
  }

  private func readHeader(_ line: UnsafeRawBufferPointer) {
    let text = String(decoding: line, as: UTF8.self).lowercased()
    if text.hasPrefix("http/") { rangeStart = nil }
    guard text.hasPrefix("content-range:"), let bytes = text.split(separator: " ").last else { return }
    rangeStart = bytes.split(separator: "-").first.flatMap { Int($0) }
  }

  private func receive(_ bytes: UnsafeRawBufferPointer) -> Bool {
    if reception == nil { decideReception() }
    guard failure == nil, case .append = reception else { return false }
    guard file.size + bytes.count <= limitBytes else {
      failure = MTLFastError(
        .badData, "\(url): sends more than the \(limitBytes) bytes that the file can have. Check the address.")
      file.discard()
      return false
    }
    do {
      try file.append(bytes)
      return true
    } catch {
      failure = (error as? MTLFastError) ?? MTLFastError(.writeFailed, "\(file.path): \(error)")
      return false
    }
  }

  private func decideReception() {
    var code = 0
    mtlf_curl_get_long(handle, CURLINFO_RESPONSE_CODE, &code)
    switch code {
    case 200:
      // The whole file: the server knows no ranges, or was not asked for one.
      do { try file.clear() } catch { failure = error as? MTLFastError }
      reception = .append(base: 0)
    case 206 where offset > 0: reception = rangeStart == offset ? .append(base: offset) : .rangeRefused
    case 416 where offset > 0: reception = .rangeRefused
    default: reception = .refuse(status: code)
    }
  }

  private func report(bodyBytes: Int) -> Bool {
    guard case .append(let base) = reception, bodyBytes > 0 else { return progress(file.size, nil) }
    return progress(file.size, base + bodyBytes)
  }

  private func refusal(_ code: Int) -> MTLFastError {
    MTLFastError(
      .missingInput, "\(url): the server answered \(code), not with the file. Check the address, or use a mirror.")
  }

  private func interruption(_ status: CURLcode, text: String) -> MTLFastError {
    let reason = text.isEmpty ? String(cString: curl_easy_strerror(status)) : text
    let next =
      file.size > 0
      ? "Start the download again: it goes on after the \(file.size) bytes that are there."
      : "Check the connection and the address, or use a mirror."
    return MTLFastError(.missingInput, "\(url): the download failed (\(reason)). \(next)")
  }

  private static func string(_ text: [CChar]) -> String {
    String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

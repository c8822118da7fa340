// SPDX-License-Identifier: Apache-2.0
// The C library of the system, for every target above: the one place that says which it is.

#if canImport(Darwin)
  @_exported import Darwin
#elseif canImport(Glibc)
  @_exported import Glibc
#elseif canImport(Musl)
  @_exported import Musl
#endif

/// close(2), for types that have a `close` of their own.
@discardableResult
func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }

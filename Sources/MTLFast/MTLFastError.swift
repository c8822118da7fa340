// SPDX-License-Identifier: Apache-2.0
// The one error type, for those who import the library and not what stands below it.

@_exported import struct Files.MTLFastError

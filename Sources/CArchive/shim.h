/* SPDX-License-Identifier: Apache-2.0 - the C headers that CArchive exposes to Swift: libarchive for tar and zip,
 * zlib for plain gzip (libarchive's gzip filter checks neither the CRC nor what follows the compressed data). */
#include <archive.h>
#include <archive_entry.h>
#include <zlib.h>

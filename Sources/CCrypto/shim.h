/* SPDX-License-Identifier: Apache-2.0 - the C headers that CCrypto exposes to Swift. */
#include <openssl/evp.h>

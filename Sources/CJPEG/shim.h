/* SPDX-License-Identifier: Apache-2.0 - the C headers that CJPEG exposes to Swift: the TurboJPEG API of libjpeg-turbo,
 * which returns its errors (the libjpeg API jumps out of the caller, which Swift can't stand). */
#include <turbojpeg.h>

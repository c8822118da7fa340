/* SPDX-License-Identifier: Apache-2.0
 * Statuses in words. */
#include "mtlf/base.h"

const char *mtlf_status_text(mtlf_status status) {
  switch (status) {
  case MTLF_OK: return "no error";
  case MTLF_ERR_NULL_POINTER: return "a required pointer is NULL";
  case MTLF_ERR_BAD_SHAPE: return "a size is not positive, overflows, or a window does not fit into its padded image";
  case MTLF_ERR_BAD_VALUE: return "a value is outside its range";
  case MTLF_ERR_MISALIGNED: return "the workspace does not start at a multiple of MTLF_ALIGNMENT bytes";
  case MTLF_ERR_WORKSPACE_TOO_SMALL: return "the workspace is smaller than mtlf_..._workspace_bytes says";
  case MTLF_ERR_UNSUPPORTED_ISA: return "this CPU does not have the instruction set that was asked for";
  }
  return "unknown status";
}

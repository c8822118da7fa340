/* SPDX-License-Identifier: Apache-2.0
 * Rows of a data set on their way into the first layer: scaled or normalised, and images augmented at random.
 *
 * A sample's draws depend on (key, epoch, row) alone, each at its own place of the stream, so that an image and its masks
 * move alike whichever of them are drawn for. Flips and crops as usual since He et al., Deep Residual Learning, 2016; cutout
 * after DeVries and Taylor, Improved Regularization of Convolutional Neural Networks with Cutout, 2017. */
#include "input.h"

#include <string.h>

#include "../base/arithmetic.h"
#include "mtlf/losses.h"
#include "mtlf/random.h"

/* Places in a sample's stream. */
enum { DRAW_FLIP, DRAW_TOP, DRAW_LEFT, DRAW_CUTOUT_Y, DRAW_CUTOUT_X, DRAWS };

/* output(y, x) = image(y + top, x + left), of the image's mirror image where flipped, but for the cutout. */
typedef struct {
  int32_t is_flipped, top, left;
  int32_t cutout_top, cutout_bottom, cutout_left, cutout_right; /* cut at the edges; empty where there is none */
} movement;

/* 0...n-1, evenly to n / 2^32. */
static int32_t below(uint32_t word, int32_t n) { return (int32_t)(((uint64_t)word * (uint64_t)n) >> 32); }

static void cutout_span(uint32_t word, int32_t size, int32_t side, int32_t *first, int32_t *end) {
  const int32_t start = below(word, size) - side / 2;
  *first = start < 0 ? 0 : start;
  *end = (int32_t)mtlf_least(size, (int64_t)start + side);
}

static movement movement_of(const mtlf_augmentation *augmentation, int32_t height, int32_t width, int64_t row,
                            uint64_t epoch) {
  uint32_t word[DRAWS];
  movement m = {0};
  mtlf_random_u32(augmentation->key, epoch << 32 | (uint32_t)row, 0, DRAWS, word);
  m.is_flipped = augmentation->flip && word[DRAW_FLIP] >> 31;
  m.top = below(word[DRAW_TOP], 2 * augmentation->pad + 1) - augmentation->pad;
  m.left = below(word[DRAW_LEFT], 2 * augmentation->pad + 1) - augmentation->pad;
  if (augmentation->cutout > 0) {
    cutout_span(word[DRAW_CUTOUT_Y], height, augmentation->cutout, &m.cutout_top, &m.cutout_bottom);
    cutout_span(word[DRAW_CUTOUT_X], width, augmentation->cutout, &m.cutout_left, &m.cutout_right);
  }
  return m;
}

/* The output's pixels first...end of a row that lie inside the image. */
static void inside(int32_t left, int32_t width, int32_t *first, int32_t *end) {
  *first = left < 0 ? (int32_t)mtlf_least(-left, width) : 0;
  *end = left > 0 ? width - (int32_t)mtlf_least(left, width) : width;
  if (*end < *first) *end = *first;
}

/* n values from element `from` of the data on, which are those of a row from element `at` on. */
static void load_values(const mtlf_kernels *kernels, const mtlf_input_rows *input, const void *data, size_t from,
                        size_t at, float *output, size_t n) {
  if (input->factors) {
    if (input->is_bytes) {
      kernels->affine_bytes((const uint8_t *)data + from, input->factors + at, input->offsets + at, output, n);
    } else {
      kernels->affine_floats((const float *)data + from, input->factors + at, input->offsets + at, output, n);
    }
  } else if (input->is_bytes) {
    kernels->scale_bytes((const uint8_t *)data + from, output, n, input->scale);
  } else {
    kernels->scale_floats((const float *)data + from, output, n, input->scale);
  }
}

/* Padding: what a raw 0 becomes. */
static void load_zeros(const mtlf_input_rows *input, size_t at, float *output, size_t n) {
  if (input->factors) {
    memcpy(output, input->offsets + at, n * sizeof *output);
  } else {
    memset(output, 0, n * sizeof *output);
  }
}

/* Pixels of `channels` values from `from` on, the last first. */
static void load_mirrored(const mtlf_kernels *kernels, const mtlf_input_rows *input, size_t from, size_t at,
                          int32_t channels, int32_t pixels, float *output) {
  enum { VALUES = 1024 };
  float turned[VALUES];
  const size_t c = (size_t)channels;
  if (channels > VALUES / 8) {
    for (int32_t x = 0; x < pixels; x++, at += c, output += c) {
      load_values(kernels, input, input->data, from + (size_t)(pixels - 1 - x) * c, at, output, c);
    }
    return;
  }
  const int32_t most = VALUES / channels;
  for (int32_t first = 0; first < pixels; first += most) {
    const int32_t n = (int32_t)mtlf_least(most, pixels - first);
    const size_t values = (size_t)n * c, start = from + (size_t)(pixels - first - n) * c;
    if (input->is_bytes) {
      const uint8_t *x = (const uint8_t *)input->data + start;
      uint8_t *to = (uint8_t *)turned + values;
      for (int32_t p = 0; p < n; p++, x += c) {
        to -= c;
        for (size_t k = 0; k < c; k++) to[k] = x[k];
      }
    } else {
      const float *x = (const float *)input->data + start;
      float *to = turned + values;
      for (int32_t p = 0; p < n; p++, x += c) {
        to -= c;
        for (size_t k = 0; k < c; k++) to[k] = x[k];
      }
    }
    load_values(kernels, input, turned, 0, at + (size_t)first * c, output + (size_t)first * c, values);
  }
}

static void load_moved(const mtlf_kernels *kernels, const mtlf_input_rows *input, int32_t height, int32_t width,
                       int32_t channels, size_t sample, const movement *m, float *output, ptrdiff_t row_stride) {
  const size_t c = (size_t)channels, run = (size_t)width * c;
  int32_t first, end;
  inside(m->left, width, &first, &end);
  const size_t before = (size_t)first * c, after = (size_t)(width - end) * c, pixels = (size_t)(end - first);
  /* The first pixel, in the image as it lies, that the row takes. */
  const int32_t start = m->is_flipped ? width - (end + m->left) : first + m->left;
  for (int32_t y = 0; y < height; y++, output += row_stride) {
    const int32_t source = y + m->top;
    if (source < 0 || source >= height || pixels == 0) {
      load_zeros(input, 0, output, run);
    } else {
      const size_t from = sample + (size_t)source * run + (size_t)start * c;
      load_zeros(input, 0, output, before);
      if (m->is_flipped) {
        load_mirrored(kernels, input, from, before, channels, (int32_t)pixels, output + before);
      } else {
        load_values(kernels, input, input->data, from, before, output + before, pixels * c);
      }
      load_zeros(input, run - after, output + (run - after), after);
    }
    if (y >= m->cutout_top && y < m->cutout_bottom) {
      memset(output + (size_t)m->cutout_left * c, 0, (size_t)(m->cutout_right - m->cutout_left) * c * sizeof *output);
    }
  }
}

/* The same by the definition, an element at a time, for views of bfloat16: each is rounded once. */
static void load_rounded(const mtlf_input_rows *input, size_t sample, const movement *m, const mtlf_view *view) {
  const int32_t width = view->width, channels = view->channels;
  for (int32_t y = 0; y < view->height; y++) {
    uint16_t *output = (uint16_t *)mtlf_element_at(view, y * view->row_stride);
    for (int32_t x = 0; x < width; x++) {
      const int32_t from_y = y + m->top, from_x = m->is_flipped ? width - 1 - x - m->left : x + m->left;
      const int is_inside = from_y >= 0 && from_y < view->height && from_x >= 0 && from_x < width;
      const int is_cut = y >= m->cutout_top && y < m->cutout_bottom && x >= m->cutout_left && x < m->cutout_right;
      for (int32_t c = 0; c < channels; c++) {
        const size_t at = sample + ((size_t)from_y * (size_t)width + (size_t)from_x) * (size_t)channels + (size_t)c;
        const size_t place = (size_t)x * (size_t)channels + (size_t)c;
        float value = 0;
        if (is_inside)
          value = input->is_bytes ? (float)((const uint8_t *)input->data)[at] : ((const float *)input->data)[at];
        value = input->factors ? input->factors[place] * value + input->offsets[place] : input->scale * value;
        output[place] = mtlf_bf16_of_f32(is_cut ? 0.0f : value);
      }
    }
  }
}

void mtlf_load_sample(const mtlf_kernels *kernels, const mtlf_input_rows *input, int64_t row, uint64_t epoch,
                      const mtlf_view *view) {
  const int32_t height = view->height, width = view->width, channels = view->channels;
  const ptrdiff_t row_stride = view->row_stride;
  float *output = mtlf_floats(view); /* of a view of floats */
  const size_t run = (size_t)width * (size_t)channels, floats = (size_t)height * run, sample = (size_t)row * floats;
  if (row < 0) {
    for (int32_t y = 0; y < height; y++) {
      memset(mtlf_element_at(view, y * row_stride), 0, run * mtlf_element_bytes(view->element));
    }
  } else if (view->element == MTLF_BF16) {
    const movement m =
        input->augmentation ? movement_of(input->augmentation, height, width, row, epoch) : (movement){0};
    load_rounded(input, sample, &m, view);
  } else if (input->augmentation) {
    const movement m = movement_of(input->augmentation, height, width, row, epoch);
    load_moved(kernels, input, height, width, channels, sample, &m, output, row_stride);
  } else if (row_stride == (ptrdiff_t)run && !input->factors) {
    load_values(kernels, input, input->data, sample, 0, output, floats);
  } else {
    for (int32_t y = 0; y < height; y++) {
      load_values(kernels, input, input->data, sample + (size_t)y * run, 0, output + y * row_stride, run);
    }
  }
}

void mtlf_augment_mask(const mtlf_augmentation *augmentation, int32_t height, int32_t width, int32_t channels,
                       const uint8_t *mask, int64_t row, uint64_t epoch, uint8_t *output) {
  const size_t c = (size_t)channels, run = (size_t)width * c;
  if (row < 0) {
    memset(output, MTLF_IGNORED, (size_t)height * run);
    return;
  }
  if (!augmentation) {
    memcpy(output, mask, (size_t)height * run);
    return;
  }
  const movement m = movement_of(augmentation, height, width, row, epoch);
  int32_t first, end;
  inside(m.left, width, &first, &end);
  const int32_t start = m.is_flipped ? width - (end + m.left) : first + m.left;
  for (int32_t y = 0; y < height; y++, output += run) {
    const int32_t source = y + m.top;
    memset(output, MTLF_IGNORED, run);
    if (source < 0 || source >= height) continue;
    const uint8_t *from = mask + (size_t)source * run + (size_t)start * c;
    if (!m.is_flipped) {
      memcpy(output + (size_t)first * c, from, (size_t)(end - first) * c);
      continue;
    }
    for (int32_t x = end - 1; x >= first; x--, from += c) {
      for (size_t k = 0; k < c; k++) output[(size_t)x * c + k] = from[k];
    }
  }
}

/* SPDX-License-Identifier: Apache-2.0
 * The kernels of depthwise convolutions: runs of pixels in one row, vectors across channels.
 *
 * Part of kernels.inc.h, in the same vector names. A tile holds up to DEPTHWISE_PIXELS pixels of one vector of channels:
 * eight accumulators are two FMAs a cycle times a latency of four. A tap costs that many FMAs and loads of the input, and
 * one load of the filter; where windows overlap, a sliding tile loads (8 - 1) * step + taps columns and `taps` of the
 * filter for 8 * taps FMAs, so that the FMAs bind: 8 accumulators + 5 taps + 1 column = 14 of 16 registers. A tile of
 * d_filter holds up to DEPTHWISE_TAPS taps of one vector of channels: a pixel costs that many FMAs and loads of the input,
 * and one of d_output.
 * Edges: a variant for each number of pixels or taps, a masked last vector of channels; d_input's rows end where d_output
 * does, and its tiles leave out what lies beyond.
 * Oracle: the double-precision reference of the tests. */

#include "depthwise.h"

enum { DEPTHWISE_PIXELS = 8, DEPTHWISE_SLIDING_TAPS = 5, DEPTHWISE_TAPS = 9 };

/* As UNROLL, for the columns of the widest sliding tile, (8 - 1) * 2 + 3. */
#define UNROLL_COLUMNS _Pragma("GCC unroll 17")

/* From a filter's first channel of a vector to that of the next one, which may begin another panel. */
MTLF_INLINE ptrdiff_t next_channels(int32_t c, ptrdiff_t filter_panel) {
  return (c + V_LANES) % PANEL ? V_LANES : filter_panel - (PANEL - V_LANES);
}

/* The run's tile of `pixels` pixels from number x0 on, at one vector of channels. */
typedef struct {
  const float *input, *filter, *bias;
  float *output;
  int32_t x0;
  ptrdiff_t input_pixel, output_pixel; /* from one accumulator's pixel to the next */
} depthwise_tile;

/* acc += sum over the taps. is_clipped: of each pixel only those that exist. */
MTLF_INLINE void depthwise_sums(const mtlf_depthwise_run *k, const depthwise_tile *tile, v_f32 acc[DEPTHWISE_PIXELS],
                                const int pixels, const int is_clipped, const int whole, const v_tail t) {
  const size_t i = 0; /* what LOAD and STORE add to a pointer */
  const float *at[DEPTHWISE_PIXELS], *filter = tile->filter;
  UNROLL for (int x = 0; x < pixels; x++) at[x] = tile->input + x * tile->input_pixel;
  const ptrdiff_t input_tap = k->input_tap, filter_tap = k->filter_tap;
  ptrdiff_t input_row = 0;
  for (int32_t r = k->rows; r > 0; r--, input_row += k->input_row, filter += k->filter_row) {
    const float *f = filter;
    ptrdiff_t offset = input_row;
    for (int32_t s = 0; s < k->taps; s++, offset += input_tap, f += filter_tap) {
      const v_f32 tap = LOAD(f);
      UNROLL for (int x = 0; x < pixels; x++) {
        if (is_clipped && (s > tile->x0 + x || s <= tile->x0 + x - k->clip)) continue;
        acc[x] = v_fma(LOAD(at[x] + offset), tap, acc[x]);
      }
    }
  }
}

/* The same where tap s of pixel x is column x * step + s: each column of the input is loaded once for all its taps.
 * is_clipped: only the columns 0...clip-1 exist; clipped tiles are mirrored, and column j is number x0 + pixels - 1 - j. */
MTLF_INLINE void depthwise_sliding_sums(const mtlf_depthwise_run *k, const depthwise_tile *tile,
                                        v_f32 acc[DEPTHWISE_PIXELS], const int pixels, const int taps, const int step,
                                        const int is_clipped, const int whole, const v_tail t) {
  const size_t i = 0;
  const float *row = tile->input, *filter = tile->filter;
  const ptrdiff_t input_tap = k->input_tap, filter_tap = k->filter_tap;
  const int32_t last = tile->x0 + pixels - 1;
  for (int32_t r = k->rows; r > 0; r--, row += k->input_row, filter += k->filter_row) {
    const float *column = row;
    v_f32 tap[DEPTHWISE_SLIDING_TAPS];
    UNROLL for (int s = 0; s < DEPTHWISE_SLIDING_TAPS; s++) {
      tap[s] = s < taps ? LOAD(filter + s * filter_tap) : v_set1(0.0f);
    }
    UNROLL_COLUMNS for (int j = 0; j < (pixels - 1) * step + taps; j++, column += input_tap) {
      if (is_clipped && (uint32_t)(last - j) >= (uint32_t)k->clip) continue;
      const v_f32 value = LOAD(column);
      UNROLL for (int s = 0; s < taps; s++) {
        const int x = (j - s) / step;
        if (j >= s && x < pixels && x * step == j - s) acc[x] = v_fma(value, tap[s], acc[x]);
      }
    }
  }
}

MTLF_INLINE void depthwise_vector(const mtlf_depthwise_run *k, const depthwise_tile *tile, const int pixels,
                                  const int taps, const int step, const int is_clipped, const int whole,
                                  const v_tail t) {
  const size_t i = 0;
  v_f32 acc[DEPTHWISE_PIXELS];
  if (k->adds) {
    UNROLL for (int x = 0; x < pixels; x++) acc[x] = LOAD(tile->output + x * tile->output_pixel);
  } else {
    const v_f32 first = tile->bias ? LOAD(tile->bias) : v_set1(0.0f);
    UNROLL for (int x = 0; x < pixels; x++) acc[x] = first;
  }
  if (taps) {
    depthwise_sliding_sums(k, tile, acc, pixels, taps, step, is_clipped, whole, t);
  } else {
    depthwise_sums(k, tile, acc, pixels, is_clipped, whole, t);
  }
  if (k->relu) {
    const v_f32 zero = v_set1(0.0f);
    UNROLL for (int x = 0; x < pixels; x++) acc[x] = v_max(zero, acc[x]);
  }
  UNROLL for (int x = 0; x < pixels; x++) STORE(tile->output + x * tile->output_pixel, acc[x]);
}

/* taps, step: of a sliding tile; taps is 0 of another. */
MTLF_INLINE void depthwise_vectors(const mtlf_depthwise_run *k, int32_t x0, const int pixels, const int taps,
                                   const int step, const int is_clipped) {
  const int32_t channels = k->channels;
  /* Where taps run backwards, so do the pixels: the columns of a sliding tile then come in the order of the taps. */
  const int is_mirrored = taps && is_clipped;
  const int32_t first = is_mirrored ? x0 + pixels - 1 : x0;
  depthwise_tile tile = {.input = k->input + first * k->input_pixel,
                         .filter = k->filter,
                         .bias = k->bias,
                         .output = k->output + first * k->output_pixel,
                         .x0 = x0,
                         .input_pixel = k->input_pixel,
                         .output_pixel = is_mirrored ? -k->output_pixel : k->output_pixel};
  int32_t c = 0;
  for (; c + V_LANES <= channels; c += V_LANES) {
    depthwise_vector(k, &tile, pixels, taps, step, is_clipped, 1, v_tail_of(V_LANES));
    tile.input += V_LANES;
    tile.filter += next_channels(c, k->filter_panel);
    if (tile.bias) tile.bias += V_LANES;
    tile.output += V_LANES;
  }
  if (c < channels) depthwise_vector(k, &tile, pixels, taps, step, is_clipped, 0, v_tail_of(channels - c));
}

typedef void (*depthwise_variant)(const mtlf_depthwise_run *k, int32_t x0);

#define DEPTHWISE_VARIANT(name, pixels, taps, step, is_clipped)                                             \
  static MTLF_TARGET                                                                                        \
      __attribute__((noinline)) void depthwise_##name##_##pixels(const mtlf_depthwise_run *k, int32_t x0) { \
    depthwise_vectors(k, x0, pixels, taps, step, is_clipped);                                               \
  }
#define DEPTHWISE_VARIANTS(name, is_clipped)                                                  \
  DEPTHWISE_VARIANT(name, 1, 0, 0, is_clipped)                                                \
  DEPTHWISE_VARIANT(name, 2, 0, 0, is_clipped)                                                \
  DEPTHWISE_VARIANT(name, 3, 0, 0, is_clipped)                                                \
  DEPTHWISE_VARIANT(name, 4, 0, 0, is_clipped)                                                \
  DEPTHWISE_VARIANT(name, 5, 0, 0, is_clipped)                                                \
  DEPTHWISE_VARIANT(name, 6, 0, 0, is_clipped)                                                \
  DEPTHWISE_VARIANT(name, 7, 0, 0, is_clipped)                                                \
  DEPTHWISE_VARIANT(name, 8, 0, 0, is_clipped)                                                \
  static const depthwise_variant depthwise_##name[DEPTHWISE_PIXELS] = {                       \
      depthwise_##name##_1, depthwise_##name##_2, depthwise_##name##_3, depthwise_##name##_4, \
      depthwise_##name##_5, depthwise_##name##_6, depthwise_##name##_7, depthwise_##name##_8};
/* Sliding tiles are long when unrolled, so that there are two of a kind: of half the pixels, and of all. */
#define DEPTHWISE_SLIDING_VARIANTS(name, taps, step, is_clipped) \
  DEPTHWISE_VARIANT(name, 4, taps, step, is_clipped)             \
  DEPTHWISE_VARIANT(name, 8, taps, step, is_clipped)             \
  static const depthwise_variant depthwise_##name[2] = {depthwise_##name##_4, depthwise_##name##_8};

DEPTHWISE_VARIANTS(any, 0)
DEPTHWISE_VARIANTS(clipped_any, 1)
DEPTHWISE_SLIDING_VARIANTS(three, 3, 1, 0)
DEPTHWISE_SLIDING_VARIANTS(five, 5, 1, 0)
DEPTHWISE_SLIDING_VARIANTS(three_by_two, 3, 2, 0)
DEPTHWISE_SLIDING_VARIANTS(clipped_two, 2, 1, 1)
DEPTHWISE_SLIDING_VARIANTS(clipped_three, 3, 1, 1)

/* NULL where there is no sliding tile for the run. */
static const depthwise_variant *depthwise_sliding(const mtlf_depthwise_run *k) {
  const ptrdiff_t pixel = k->input_pixel, tap = k->input_tap;
  if (k->clip) {
    if (pixel != -tap) return NULL;
    if (k->taps == 2) return depthwise_clipped_two;
    return k->taps == 3 ? depthwise_clipped_three : NULL;
  }
  if (k->taps == 3 && pixel == tap) return depthwise_three;
  if (k->taps == 5 && pixel == tap) return depthwise_five;
  return k->taps == 3 && pixel == 2 * tap ? depthwise_three_by_two : NULL;
}

static void depthwise_run(const mtlf_depthwise_run *k) {
  enum { HALF = DEPTHWISE_PIXELS / 2 };
  const depthwise_variant *sliding = depthwise_sliding(k), *any = k->clip ? depthwise_clipped_any : depthwise_any;
  for (int32_t x = 0; x < k->pixels;) {
    const int32_t left = k->pixels - x;
    int32_t width = left < DEPTHWISE_PIXELS ? left : DEPTHWISE_PIXELS;
    if (sliding && left >= HALF) {
      if (left < DEPTHWISE_PIXELS) width = HALF;
      sliding[width / DEPTHWISE_PIXELS](k, x);
    } else {
      /* 9...15 pixels as two tiles of nearly the same size: a tile of one waits for its own sums. */
      if (left > DEPTHWISE_PIXELS && left < 2 * DEPTHWISE_PIXELS) width = (left + 1) / 2;
      any[width - 1](k, x);
    }
    x += width;
  }
}

/* d_filter: tap `first` of channel c. */
MTLF_INLINE void depthwise_taps(const mtlf_depthwise_d_filter_run *k, float *d_filter, const int32_t first,
                                const int32_t c, const int taps, const int whole, const v_tail t) {
  const size_t i = 0;
  const float *input[DEPTHWISE_TAPS], *d_row = k->d_output + c;
  v_f32 acc[DEPTHWISE_TAPS];
  UNROLL for (int p = 0; p < taps; p++) {
    const int32_t r = (first + p) / k->kernel_w, s = (first + p) % k->kernel_w;
    input[p] = k->input + r * k->input_row + (ptrdiff_t)s * k->channels + c;
    acc[p] = LOAD(d_filter + p * PANEL);
  }
  const ptrdiff_t input_pixel = k->input_pixel, d_pixel = k->channels;
  ptrdiff_t row_at = 0;
  for (int32_t row = k->rows; row > 0; row--, row_at += k->input_step, d_row += k->d_row) {
    const float *d = d_row;
    ptrdiff_t at = row_at;
    for (int32_t x = k->pixels; x > 0; x--, at += input_pixel, d += d_pixel) {
      const v_f32 gradient = LOAD(d);
      UNROLL for (int p = 0; p < taps; p++) acc[p] = v_fma(LOAD(input[p] + at), gradient, acc[p]);
    }
  }
  UNROLL for (int p = 0; p < taps; p++) STORE(d_filter + p * PANEL, acc[p]);
}

#define DEPTHWISE_D_FILTER_VARIANT(taps)                                                                              \
  static MTLF_TARGET                                                                                                  \
      __attribute__((noinline)) void depthwise_d_filter_##taps(const mtlf_depthwise_d_filter_run *k, int32_t first) { \
    const int32_t channels = k->channels;                                                                             \
    float *d_filter = k->d_filter + (ptrdiff_t)first * PANEL;                                                         \
    int32_t c = 0;                                                                                                    \
    for (; c + V_LANES <= channels; c += V_LANES) {                                                                   \
      depthwise_taps(k, d_filter, first, c, taps, 1, v_tail_of(V_LANES));                                             \
      d_filter += next_channels(c, k->filter_panel);                                                                  \
    }                                                                                                                 \
    if (c < channels) depthwise_taps(k, d_filter, first, c, taps, 0, v_tail_of(channels - c));                        \
  }

DEPTHWISE_D_FILTER_VARIANT(1)
DEPTHWISE_D_FILTER_VARIANT(2)
DEPTHWISE_D_FILTER_VARIANT(3)
DEPTHWISE_D_FILTER_VARIANT(4)
DEPTHWISE_D_FILTER_VARIANT(5)
DEPTHWISE_D_FILTER_VARIANT(6)
DEPTHWISE_D_FILTER_VARIANT(7)
DEPTHWISE_D_FILTER_VARIANT(8)
DEPTHWISE_D_FILTER_VARIANT(9)

static void depthwise_d_filter(const mtlf_depthwise_d_filter_run *k) {
  typedef void (*variant)(const mtlf_depthwise_d_filter_run *k, int32_t first);
  static const variant variants[DEPTHWISE_TAPS] = {depthwise_d_filter_1, depthwise_d_filter_2, depthwise_d_filter_3,
                                                   depthwise_d_filter_4, depthwise_d_filter_5, depthwise_d_filter_6,
                                                   depthwise_d_filter_7, depthwise_d_filter_8, depthwise_d_filter_9};
  /* Tiles of nearly the same number of taps: the sum of a tile of one waits for itself. */
  const int32_t taps = k->kernel_h * k->kernel_w, tiles = (taps + DEPTHWISE_TAPS - 1) / DEPTHWISE_TAPS;
  for (int32_t tile = 0, first = 0; tile < tiles; tile++) {
    const int32_t count = taps / tiles + (tile < taps % tiles);
    variants[count - 1](k, first);
    first += count;
  }
}

const mtlf_depthwise_kernels FAMILY(mtlf_depthwise) = {.run = depthwise_run, .d_filter = depthwise_d_filter};

/* SPDX-License-Identifier: Apache-2.0
 * A convolution as im2col and OpenBLAS's sgemm: the baseline. Time for windows copied, bias, ReLU and columns added up
 * is part of a pass, as it is in ours. */
#include <string.h>

#include "conv_run.h"

#if defined(MTLF_WITH_OPENBLAS)
#include <cblas.h>

void prepare_openblas_conv(conv_run *r) {
  const size_t units = (size_t)r->conv.channels_out;
  r->columns = new_floats((size_t)r->samples * (size_t)r->output_h * (size_t)r->output_w * r->taps);
  r->d_filter_plain = new_floats(r->taps * units);
  r->d_bias_plain = new_floats(units);
}

/* Copies each window of `count` images into a row of columns, or adds each row to its window. */
static void walk_windows(conv_run *r, const mtlf_tensor *images, int32_t count, int is_adding) {
  const mtlf_conv2d *c = &r->conv;
  const size_t window = (size_t)c->kernel_w * (size_t)c->channels_in;
  const float *first =
      (float *)images->view.data - c->pad_top * images->view.row_stride - (ptrdiff_t)c->pad_left * c->channels_in;
  float *columns = r->columns;
  for (int32_t n = 0; n < count; n++) {
    for (int32_t oh = 0; oh < r->output_h; oh++) {
      for (int32_t ow = 0; ow < r->output_w; ow++) {
        float *row = (float *)first + n * images->view.sample_stride + oh * c->stride_h * images->view.row_stride +
                     (ptrdiff_t)ow * c->stride_w * c->channels_in;
        for (int32_t k = 0; k < c->kernel_h; k++, row += images->view.row_stride, columns += window) {
          if (is_adding) {
            for (size_t i = 0; i < window; i++) row[i] += columns[i];
          } else {
            memcpy(columns, row, window * sizeof(float));
          }
        }
      }
    }
  }
}

/* Of a whole batch one product; of shards one for each, all on the same images. */
static void for_each_product(conv_run *r, void (*body)(void *run, int32_t first, int32_t count)) {
  if (r->form.shard) {
    for_each_shard(r, body, r);
  } else {
    body(r, 0, r->samples);
  }
}

static int pixels_of(const conv_run *r, int32_t count) { return count * r->output_h * r->output_w; }

static void forward(void *run, int32_t first, int32_t count) {
  conv_run *r = run;
  const int pixels = pixels_of(r, count), units = r->conv.channels_out, taps = (int)r->taps;
  float *output = r->output_images.view.data;
  (void)first;
  walk_windows(r, &r->input_images, count, 0);
  for (int p = 0; p < pixels; p++) memcpy(output + (size_t)p * (size_t)units, r->bias, (size_t)units * sizeof(float));
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasNoTrans, pixels, units, taps, 1, r->columns, taps, r->filter, units, 1,
              output, units);
  check_status(mtlf_relu_forward_f32((int64_t)pixels * units, output, output, &r->context));
}

static void d_input(void *run, int32_t first, int32_t count) {
  conv_run *r = run;
  const int pixels = pixels_of(r, count), units = r->conv.channels_out, taps = (int)r->taps;
  const mtlf_tensor *images = &r->d_input_images;
  const ptrdiff_t halo = r->conv.pad_top * images->view.row_stride + (ptrdiff_t)r->conv.pad_left * r->conv.channels_in;
  (void)first;
  cblas_sgemm(CblasRowMajor, CblasNoTrans, CblasTrans, pixels, taps, units, 1, r->d_output_images.view.data, units,
              r->filter, units, 0, r->columns, taps);
  memset((float *)images->view.data - halo, 0, (size_t)count * (size_t)images->view.sample_stride * sizeof(float));
  walk_windows(r, images, count, 1);
}

static void d_filter(void *run, int32_t first, int32_t count) {
  conv_run *r = run;
  const int pixels = pixels_of(r, count), units = r->conv.channels_out, taps = (int)r->taps;
  const float *d = r->d_output_images.view.data;
  walk_windows(r, &r->input_images, count, 0);
  cblas_sgemm(CblasRowMajor, CblasTrans, CblasNoTrans, taps, units, pixels, 1, r->columns, taps, d, units,
              first > 0 ? 1 : 0, r->d_filter_plain, units);
  if (first == 0) memset(r->d_bias_plain, 0, (size_t)units * sizeof(float));
  for (int p = 0; p < pixels; p++, d += units) {
    for (int k = 0; k < units; k++) r->d_bias_plain[k] += d[k];
  }
}

void openblas_conv_forward(void *run) { for_each_product(run, forward); }
void openblas_conv_d_input(void *run) { for_each_product(run, d_input); }
void openblas_conv_d_filter(void *run) { for_each_product(run, d_filter); }

#else

void prepare_openblas_conv(conv_run *r) { (void)r; }
void openblas_conv_forward(void *run) { (void)run; }
void openblas_conv_d_input(void *run) { (void)run; }
void openblas_conv_d_filter(void *run) { (void)run; }

#endif

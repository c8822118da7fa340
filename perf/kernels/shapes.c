/* SPDX-License-Identifier: Apache-2.0
 * Reads a file of layer shapes: one layer a line, `#` starts a comment. perf/README.md has the grammar. */
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bench.h"

static const char *path_read;
static int line_number;

static void refuse(const char *problem, const char *word) {
  fprintf(stderr, "%s:%d: %s. Received: %s\n", path_read, line_number, problem, word ? word : "the end of the line");
  exit(65);
}

static const char *next_word(void) { return strtok(NULL, " \t\r\n"); }

static int32_t number(const char *word) {
  char *end = NULL;
  const long value = word ? strtol(word, &end, 10) : 0;
  if (!word || *end || value < 1 || value > 1 << 20) refuse("expected a whole number from 1 to 1048576", word);
  return (int32_t)value;
}

/* Keras's rule: the odd pixel goes to the bottom and right. */
static void pad_as_same(int32_t size, int32_t kernel, int32_t stride, int32_t *before, int32_t *after) {
  const int32_t outputs = (size + stride - 1) / stride, total = (outputs - 1) * stride + kernel - size;
  *before = total > 0 ? total / 2 : 0;
  *after = total > 0 ? total - *before : 0;
}

static void read_conv(layer *l) {
  mtlf_conv2d *c = &l->conv;
  const char *word = next_word();
  if (!word || sscanf(word, "%dx%dx%d", &c->height, &c->width, &c->channels_in) != 3) refuse("expected HxWxC_in", word);
  word = next_word();
  if (!word || strcmp(word, "->") != 0) refuse("expected ->", word);
  c->channels_out = number(next_word());
  word = next_word();
  if (!word || word[0] != '@') refuse("expected @K, the kernel's size", word);
  c->kernel_h = c->kernel_w = number(word + 1);
  c->stride_h = c->stride_w = 1;
  int is_same = 0;
  while ((word = next_word())) {
    if (strcmp(word, "stride") == 0) {
      c->stride_h = c->stride_w = number(next_word());
    } else if (strcmp(word, "same") == 0) {
      is_same = 1;
    } else if (strcmp(word, "pool") == 0) {
      l->has_pool = 1;
    } else if (strcmp(word, "first") == 0) {
      l->is_first = 1;
    } else if (strcmp(word, "bars") == 0) {
      for (int i = 0; i < 3; i++) l->bars[i] = number(next_word());
    } else {
      refuse("expected stride S, same, pool, first or bars F I D", word);
    }
  }
  if (is_same) {
    pad_as_same(c->height, c->kernel_h, c->stride_h, &c->pad_top, &c->pad_bottom);
    pad_as_same(c->width, c->kernel_w, c->stride_w, &c->pad_left, &c->pad_right);
  }
}

static void read_dense(layer *l) {
  l->is_dense = 1;
  l->dense.inputs = number(next_word());
  const char *word = next_word();
  if (!word || strcmp(word, "->") != 0) refuse("expected ->", word);
  l->dense.units = number(next_word());
  while ((word = next_word())) {
    if (strcmp(word, "bars") != 0) refuse("expected bars F I D", word);
    for (int i = 0; i < 3; i++) l->bars[i] = number(next_word());
  }
}

net read_net(const char *path) {
  static net n;
  char line[256];
  memset(&n, 0, sizeof n);
  FILE *file = fopen(path, "r");
  if (!file) {
    fprintf(stderr, "%s can't be read\n", path);
    exit(66);
  }
  path_read = path;
  for (line_number = 1; fgets(line, sizeof line, file); line_number++) {
    char *comment = strchr(line, '#');
    if (comment) *comment = 0;
    const char *word = strtok(line, " \t\r\n");
    if (!word) continue;
    layer l = {0};
    if (strcmp(word, "batch") == 0) {
      n.batch = number(next_word());
      continue;
    }
    if (strcmp(word, "shard") == 0) {
      n.shard = number(next_word());
      continue;
    }
    if (strcmp(word, "conv") == 0) {
      read_conv(&l);
    } else if (strcmp(word, "dense") == 0) {
      read_dense(&l);
    } else {
      refuse("expected batch, shard, conv or dense", word);
    }
    if (n.batch == 0 || n.shard == 0) refuse("batch and shard come before the layers", word);
    if (n.layer_count == MAX_LAYERS) refuse("too many layers", word);
    l.conv.batch = l.dense.batch = n.batch;
    n.layers[n.layer_count++] = l;
  }
  fclose(file);
  if (n.layer_count == 0) refuse("expected a layer", NULL);
  return n;
}

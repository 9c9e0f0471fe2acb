/* See walk.h. */
#include "watch/walk.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum { KEY_DIGITS = 18 };

/* ---- keys ---- */

/* FNV-1a, 64 bits: the keys are the customer's, nobody chooses them to collide. */
static uint64_t hash_on(uint64_t hash, const char *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (uint8_t)bytes[i]) * 0x100000001b3u;
    return hash;
}

bool walk_key(uint16_t kind, const char *key, uint64_t *family, int64_t *number)
{
    const char digits[] = "0123456789";
    size_t end = strlen(key), len;
    while (end > 0 && strchr(digits, key[end - 1]) == NULL)
        end--;
    for (len = 0; len < end && len < KEY_DIGITS && strchr(digits, key[end - len - 1]) != NULL;)
        len++;
    if (len == 0)
        return false;
    size_t begin = end - len;
    char text[KEY_DIGITS + 1];
    memcpy(text, key + begin, len);
    text[len] = '\0';
    *number = strtoll(text, NULL, 10);
    uint64_t hash = hash_on(0xcbf29ce484222325u ^ kind, key, begin);
    *family = hash_on(hash * 0x100000001b3u, key + end, strlen(key + end));
    return true;
}

/* ---- runs ---- */

/* Steps that a run of this length makes part of a walk by its newest. */
static uint32_t told(uint32_t length)
{
    return length < WALK_LEAST ? 0 : length == WALK_LEAST ? WALK_LEAST : 1;
}

static bool is_idle(int64_t last, int64_t hour)
{
    return hour - last > WALK_IDLE_HOURS;
}

static bool is_within(const struct walk_run *run, const struct walk_step *step)
{
    return step->low >= run->low && step->high <= run->high;
}

/* Keys are at most 18 digits, none negative: no difference overflows. */
static bool goes_on(const struct walk_run *run, const struct walk_step *step)
{
    return step->low <= run->high + step->reach && step->high >= run->low - (int64_t)step->reach;
}

static void extend(struct walk_run *run, const struct walk_step *step)
{
    run->low = step->low < run->low ? step->low : run->low;
    run->high = step->high > run->high ? step->high : run->high;
    run->hour = step->hour;
    run->length++;
}

/* A free place, or that of the run that has not been met for longest. */
static struct walk_run *place_of_run(struct walk *walk, int64_t hour)
{
    struct walk_run *oldest = &walk->runs[0];
    for (size_t i = 0; i < WALK_RUNS; i++) {
        struct walk_run *run = &walk->runs[i];
        if (run->length == 0 || is_idle(run->hour, hour))
            return run;
        if (run->used < oldest->used)
            oldest = run;
    }
    return oldest;
}

/* Two runs may meet: the longer one goes on, the other grows old. */
static uint32_t take_run(struct walk *walk, const struct walk_step *step)
{
    struct walk_run *best = NULL;
    for (size_t i = 0; i < WALK_RUNS; i++) {
        struct walk_run *run = &walk->runs[i];
        if (run->length == 0 || run->family != step->family || is_idle(run->hour, step->hour))
            continue;
        if (is_within(run, step)) { /* asked again */
            run->used = ++walk->clock;
            return 0;
        }
        if (goes_on(run, step) && (best == NULL || run->length > best->length))
            best = run;
    }
    if (best == NULL) {
        best = place_of_run(walk, step->hour);
        *best = (struct walk_run){.family = step->family, .low = step->low, .high = step->high};
    }
    extend(best, step);
    best->used = ++walk->clock;
    return told(best->length);
}

/* ---- strides ---- */

static struct walk_stride *stride_of(struct walk *walk, const struct walk_step *step)
{
    struct walk_stride *oldest = &walk->strides[0];
    for (size_t i = 0; i < WALK_SESSIONS; i++) {
        struct walk_stride *stride = &walk->strides[i];
        if (stride->length > 0 && stride->session == step->session &&
            stride->family == step->family && !is_idle(stride->hour, step->hour))
            return stride;
        if (stride->used < oldest->used)
            oldest = stride;
    }
    *oldest = (struct walk_stride){.session = step->session, .family = step->family};
    return oldest;
}

static uint32_t take_stride(struct walk *walk, const struct walk_step *step)
{
    struct walk_stride *stride = stride_of(walk, step);
    int64_t moved = step->low - stride->last;
    bool is_first = stride->length == 0;
    stride->used = ++walk->clock;
    stride->hour = step->hour;
    if (!is_first && moved == 0)
        return 0;
    bool same = stride->length > 1 && moved == stride->stride && llabs(moved) > step->reach;
    stride->length = is_first ? 1 : same ? stride->length + 1 : 2;
    stride->stride = moved;
    stride->last = step->low;
    return same ? told(stride->length) : 0;
}

uint32_t walk_take(struct walk *walk, const struct walk_step *step)
{
    uint32_t by_run = take_run(walk, step), by_stride = take_stride(walk, step);
    return by_run > by_stride ? by_run : by_stride;
}

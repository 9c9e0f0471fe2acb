/* Fuzz target: sets of subject ids. What is taken for one ascends, has as many ids as it says, and
 * where it is written again it means the same. */
#include <stdlib.h>

#include "base/check.h"
#include "exposure/subject_set.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { IDS_MAX = 1 << 18, SET_BYTES = 1 << 22 };

struct seen {
    uint32_t *ids;
    size_t count;
};

static bool see(void *context, uint32_t id)
{
    struct seen *seen = context;
    CHECK(seen->count == 0 || id > seen->ids[seen->count - 1]);
    seen->ids[seen->count++] = id;
    return true;
}

static void write_again(struct seen *seen)
{
    struct buffer again;
    uint64_t count;
    struct seen second = {.ids = calloc(seen->count + 1, sizeof *second.ids)};
    buffer_init(&again, SET_BYTES);
    size_t written = subject_set_serialize(seen->ids, seen->count, &again);
    CHECK(second.ids != NULL && written == seen->count && !again.overflowed);
    CHECK(subject_set_count(buffer_slice(&again), &count) == STATUS_OK && count == seen->count);
    CHECK(subject_set_each(buffer_slice(&again), see, &second) == STATUS_OK);
    for (size_t i = 0; i < seen->count; i++)
        CHECK(second.ids[i] == seen->ids[i]);
    free(second.ids);
    buffer_free(&again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint64_t count;
    const struct slice set = slice_of(data, size);
    if (subject_set_count(set, &count) != STATUS_OK || count > IDS_MAX)
        return 0;
    struct seen seen = {.ids = calloc(count + 1, sizeof *seen.ids)};
    CHECK(seen.ids != NULL);
    CHECK(subject_set_each(set, see, &seen) == STATUS_OK && seen.count == count);
    write_again(&seen);
    free(seen.ids);
    return 0;
}
